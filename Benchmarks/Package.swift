// swift-tools-version: 6.2
import PackageDescription

/// Benchmarks, in a package of their own so that embedders do not inherit what they need.
let package = Package(
    name: "WinnowBenchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "winnow", path: ".."),
        // No traits: jemalloc would be another system package, and its metrics are not used.
        .package(url: "https://github.com/ordo-one/benchmark", exact: "1.38.1", traits: []),
    ],
    targets: [
        .target(
            name: "Ratios", dependencies: [.product(name: "Benchmark", package: "benchmark")],
            path: "Ratios"),
        .executableTarget(
            name: "KernelBench",
            dependencies: [
                "Ratios", .product(name: "WinnowKernels", package: "winnow"),
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "KernelBench", plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
        .executableTarget(
            name: "EngineBench",
            dependencies: [
                "Ratios", .product(name: "Winnow", package: "winnow"),
                .product(name: "WinnowKernels", package: "winnow"),
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "EngineBench", plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
