/// Where stores of simulated disks stand, and steps on them.
package struct Workload: Sendable {
    package typealias Step = @Sendable (SimulatedDisk) throws -> Void
    package var steps: [Step]

    package init(steps: [Step]) { self.steps = steps }

    package static let path = "disk/store"

    /// An empty disk with the folder that the store will stand in.
    package static func disk(keepsImages: Bool = false) throws -> SimulatedDisk {
        let empty = SimulatedDisk()
        try empty.createDirectory("disk")
        var image = empty.now
        image.names = image.names.mapValues { [$0.last ?? nil] }
        return SimulatedDisk(image, keepsImages: keepsImages)
    }
}
