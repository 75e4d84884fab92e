// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
/// For what touches raw memory: every place that does says `unsafe`.
let raw = strict + [.strictMemorySafety()]

/// The rooms of the engine, low to high: a target imports only what stands above it in this list.
let package = Package(
    name: "winnow",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "Winnow", targets: ["Winnow"]),
        .executable(name: "winnow", targets: ["WinnowCLI"]),
        // The vector loops alone, for benchmarks.
        .library(name: "WinnowKernels", targets: ["CKernels"]),
    ],
    traits: [
        .default(enabledTraits: ["IOUring"]),
        .trait(name: "IOUring", description: "Files of a commit are made durable side by side (Linux, liburing)."),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
    ],
    targets: [
        .target(
            name: "CKernels",
            // Debug and test builds run the kernels at release speed.
            cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))]
        ),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CUring", pkgConfig: "liburing", providers: [.apt(["liburing-dev"])]),
        .systemLibrary(name: "CNettle", pkgConfig: "nettle", providers: [.apt(["nettle-dev"])]),
        .target(name: "Model", swiftSettings: raw),
        .target(name: "Threads", swiftSettings: raw),
        .target(name: "JSON", swiftSettings: raw),
        .target(name: "Bitmaps", dependencies: ["CKernels"], swiftSettings: raw),
        .target(
            name: "Disk",
            dependencies: [
                "Model", .target(name: "CUring", condition: .when(platforms: [.linux], traits: ["IOUring"])),
            ],
            swiftSettings: raw),
        .target(
            name: "Format", dependencies: ["CKernels", "CZstd", "Model", "Bitmaps", "Disk"], swiftSettings: raw),
        .target(name: "Rules", dependencies: ["CKernels", "Model", "JSON"], swiftSettings: raw),
        .target(
            name: "Columns", dependencies: ["CKernels", "Model", "Threads", "Bitmaps", "Disk", "Format"],
            swiftSettings: raw),
        .target(
            name: "Store", dependencies: ["Model", "Threads", "JSON", "Disk", "Format", "Columns"], swiftSettings: raw),
        .target(
            name: "Query",
            dependencies: ["CKernels", "Model", "Threads", "Bitmaps", "Format", "Rules", "Columns", "Store"],
            swiftSettings: raw),
        .target(
            name: "Loader",
            dependencies: ["CNettle", "Model", "Threads", "JSON", "Disk", "Format", "Columns", "Store"],
            swiftSettings: raw),
        .target(
            name: "Winnow",
            dependencies: [
                "Model", "Threads", "JSON", "Rules", "Disk", "Format", "Columns", "Store", "Query", "Loader",
            ],
            swiftSettings: raw),
        .target(name: "Datagen", dependencies: ["Model", "Threads", "JSON", "Disk"], swiftSettings: raw),
        .executableTarget(
            name: "WinnowCLI",
            dependencies: [
                "Winnow", "Datagen", "JSON", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "WinnowTests", dependencies: ["Winnow"], exclude: ["Vectors"], swiftSettings: strict),
        .target(name: "CountedAllocations", path: "Tests/CountedAllocations"),
        .testTarget(
            name: "EngineTests",
            dependencies: ["CKernels", "Model", "Threads", "Store", "Winnow", "CountedAllocations"],
            swiftSettings: strict),
        .target(name: "FailingCalls", path: "Tests/FailingCalls"),
        .target(
            name: "Simulation", dependencies: ["Winnow", "Disk", "Format", "Model"], path: "Tests/Simulation",
            swiftSettings: strict),
        .testTarget(
            name: "EncodingTests",
            dependencies: ["Model", "Bitmaps", "Disk", "Format", "Columns", "Simulation"], swiftSettings: strict),
        .testTarget(
            name: "DurabilityTests",
            dependencies: ["CZstd", "Winnow", "Disk", "Format", "Model", "Simulation", "FailingCalls"],
            exclude: ["Golden", "Formats"], swiftSettings: strict),
        .testTarget(
            name: "DifferentialTests", dependencies: ["Winnow", "Query", "Disk", "Simulation"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

// A program with no main of its own: only tools/fuzz can build it.
if Context.environment["WINNOW_FUZZ"] != nil {
    package.products.append(.executable(name: "fuzz", targets: ["Fuzz"]))
    package.targets.append(
        .executableTarget(
            name: "Fuzz", dependencies: ["Simulation"], path: "Tests/Fuzz",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}
