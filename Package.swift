// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
/// For what touches raw memory: every place that does says `unsafe`.
let raw = strict + [.strictMemorySafety()]

/// The linker that finds what static libraries have, in whatever order they are named.
let lld = LinkerSetting.unsafeFlags(["-use-ld=lld"], .when(platforms: [.linux]))

/// A room of the engine: folder `Sources/Disk` is target `WinnowDisk`, since an app that builds
/// Winnow may have a `Disk` of its own.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: "Winnow" + name, dependencies: dependencies, path: "Sources/" + name,
        swiftSettings: raw)
}

/// A library of the system.
func system(_ name: String, _ library: String, package: String) -> Target {
    .systemLibrary(
        name: "Winnow" + name, path: "Sources/" + name, pkgConfig: library,
        providers: [.apt([package])])
}

/// What the server alone needs.
func server(_ product: String, of package: String) -> Target.Dependency {
    .product(name: product, package: package, condition: .when(traits: ["Server"]))
}

/// What tests stand on.
func testSupport(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: "Winnow" + name, dependencies: dependencies, path: "Tests/" + name)
}

/// The rooms of the engine, low to high: a target imports only what is above it in this list.
let package = Package(
    name: "winnow",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "Winnow", targets: ["Winnow"]),
        .executable(name: "winnow", targets: ["WinnowCLI"]),
        // For C, and all that can call it; tools/install builds it.
        .library(name: "winnowc", type: .dynamic, targets: ["WinnowC"]),
        // The server; without the trait Server a program that says so.
        .executable(name: "winnow-server", targets: ["WinnowServer"]),
        // The vector loops alone, for benchmarks.
        .library(name: "WinnowKernels", targets: ["WinnowCKernels"]),
    ],
    traits: [
        .default(enabledTraits: ["IOUring"]),
        .trait(
            name: "IOUring",
            description: "Files of a commit are made durable side by side (Linux, liburing)."),
        .trait(name: "Server", description: "winnow-server: segments over HTTP, and a page."),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        // The server's; without its trait nothing of them is fetched.
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        .target(
            name: "WinnowCKernels", path: "Sources/CKernels",
            // Debug and test builds run the kernels at release speed.
            cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))]
        ),
        system("CZstd", "libzstd", package: "libzstd-dev"),
        system("CZlib", "zlib", package: "zlib1g-dev"),
        system("CUring", "liburing", package: "liburing-dev"),
        system("CNettle", "nettle", package: "nettle-dev"),
        room("Model"),
        room("Threads"),
        room("JSON"),
        room("Bitmaps", ["WinnowCKernels"]),
        room(
            "Disk",
            [
                "WinnowModel",
                .target(
                    name: "WinnowCUring", condition: .when(platforms: [.linux], traits: ["IOUring"])
                ),
            ]),
        room(
            "Format",
            [
                "WinnowCKernels", "WinnowCZstd", "WinnowCZlib", "WinnowCNettle", "WinnowModel",
                "WinnowBitmaps", "WinnowDisk",
            ]),
        room("Rules", ["WinnowCKernels", "WinnowModel", "WinnowJSON"]),
        room(
            "Columns",
            [
                "WinnowCKernels", "WinnowModel", "WinnowThreads", "WinnowBitmaps", "WinnowDisk",
                "WinnowFormat",
            ]),
        room(
            "Storage",
            [
                "WinnowModel", "WinnowThreads", "WinnowJSON", "WinnowDisk", "WinnowFormat",
                "WinnowColumns",
            ]),
        room(
            "Query",
            [
                "WinnowCKernels", "WinnowModel", "WinnowThreads", "WinnowBitmaps", "WinnowFormat",
                "WinnowRules",
                "WinnowColumns", "WinnowStorage",
            ]),
        room(
            "Loader",
            [
                "WinnowModel", "WinnowThreads", "WinnowJSON", "WinnowBitmaps", "WinnowDisk",
                "WinnowFormat",
                "WinnowColumns", "WinnowStorage",
            ]),
        .target(
            name: "Winnow",
            dependencies: [
                "WinnowModel", "WinnowThreads", "WinnowJSON", "WinnowBitmaps", "WinnowRules",
                "WinnowDisk", "WinnowFormat",
                "WinnowColumns", "WinnowStorage", "WinnowQuery", "WinnowLoader",
            ],
            swiftSettings: raw),
        room("Datagen", ["WinnowModel", "WinnowThreads", "WinnowJSON", "WinnowDisk"]),
        .target(
            name: "WinnowCommands",
            dependencies: [
                "Winnow", "WinnowDatagen", "WinnowJSON",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/Commands", swiftSettings: strict),
        .executableTarget(
            name: "WinnowCLI",
            dependencies: [
                "Winnow", "WinnowCommands",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict, linkerSettings: [lld]),
        .executableTarget(
            name: "WinnowServer",
            dependencies: [
                "Winnow", "WinnowCommands", "WinnowJSON", "WinnowDisk",
                "WinnowThreads",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                server("HummingbirdCore", of: "hummingbird"),
                server("NIOCore", of: "swift-nio"), server("NIOPosix", of: "swift-nio"),
                server("NIOConcurrencyHelpers", of: "swift-nio"),
                server("HTTPTypes", of: "swift-http-types"), server("Logging", of: "swift-log"),
                server("ServiceLifecycle", of: "swift-service-lifecycle"),
                server("UnixSignals", of: "swift-service-lifecycle"),
            ],
            path: "Sources/Server", resources: [.embedInCode("Page")], swiftSettings: strict,
            linkerSettings: [lld]),
        .target(name: "WinnowCHeader", path: "Sources/CHeader"),
        .target(
            name: "WinnowC",
            dependencies: [
                "WinnowCHeader", "Winnow", "WinnowCommands", "WinnowModel", "WinnowRules",
                "WinnowDisk",
                "WinnowThreads",
            ],
            path: "Sources/C", exclude: ["exports.map", "winnow.pc.in"], swiftSettings: raw,
            // The library is whole: it has the Swift runtime in it, and shows nothing but winnow_*.
            linkerSettings: [
                lld,
                .unsafeFlags(
                    [
                        "-static-stdlib", "-Xlinker",
                        "--version-script=\(Context.packageDirectory)/Sources/C/exports.map",
                        "-Xlinker", "-soname=libwinnow.so.0", "-Xlinker", "-z", "-Xlinker", "defs",
                        // Threads of the library outlive a dlclose.
                        "-Xlinker", "-z", "-Xlinker", "nodelete",
                        "-l_FoundationCollections", "-l_FoundationCShims",
                    ], .when(platforms: [.linux])),
            ]),
        testSupport("CountedAllocations"),
        testSupport("FailingCalls"),
        testSupport("Simulation", ["Winnow", "WinnowDisk", "WinnowFormat", "WinnowModel"]),
        .testTarget(
            name: "WinnowTests", dependencies: ["Winnow", "WinnowCommands"], exclude: ["Vectors"],
            swiftSettings: strict),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "WinnowCKernels", "WinnowModel", "WinnowThreads", "WinnowFormat", "WinnowStorage",
                "Winnow", "WinnowCountedAllocations",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EncodingTests",
            dependencies: [
                "WinnowModel", "WinnowBitmaps", "WinnowDisk", "WinnowFormat", "WinnowColumns",
                "WinnowSimulation",
            ], swiftSettings: strict),
        .testTarget(
            name: "DurabilityTests",
            dependencies: [
                "WinnowCZstd", "Winnow", "WinnowDisk", "WinnowFormat", "WinnowModel",
                "WinnowSimulation",
                "WinnowFailingCalls",
            ],
            exclude: ["Golden", "Formats"], swiftSettings: strict),
        .testTarget(
            name: "DifferentialTests",
            dependencies: ["Winnow", "WinnowQuery", "WinnowDisk", "WinnowSimulation"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

// A program with no main of its own: only tools/fuzz can build it.
if Context.environment["WINNOW_FUZZ"] != nil {
    package.products.append(.executable(name: "fuzz", targets: ["Fuzz"]))
    package.targets.append(
        .executableTarget(
            name: "Fuzz", dependencies: ["WinnowSimulation"], path: "Tests/Fuzz",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}
