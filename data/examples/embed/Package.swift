// swift-tools-version: 6.2
import PackageDescription

// A program of somebody else's that embeds Winnow. Its targets have names that Winnow's rooms have,
// too: they do not clash. `WINNOW` is where Winnow's repository is; a program of yours names an
// address and a version here.
let package = Package(
    name: "shop",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(url: Context.environment["WINNOW"] ?? "../../..", branch: "main")
    ],
    targets: [
        .target(name: "Model"),
        .target(name: "JSON"),
        .target(name: "Store", dependencies: ["Model"]),
        .executableTarget(
            name: "Shop",
            dependencies: [
                "Model", "JSON", "Store",
                .product(name: "Winnow", package: Context.environment["WINNOW_NAME"] ?? "winnow"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
