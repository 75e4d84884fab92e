import WinnowColumns
import WinnowFormat
import WinnowModel

extension PartKind {
    /// What there is to know of parts of the kind.
    var family: any PartFamily.Type {
        switch self {
        case .activity: ActivityFamily.self
        case .keys: KeysFamily.self
        case .profiles: ProfilesFamily.self
        case .dictionary: DictionaryFamily.self
        case .catalogue: CatalogueFamily.self
        case .batches: BatchesFamily.self
        case .erased: ErasedFamily.self
        }
    }

    package var share: StoreShare { family.share }
}

/// What one batch says to a store; everything in it becomes visible together. Each family of parts
/// takes what is its own.
package struct Batch {
    /// Profiles by their ids, new ones in the order of their rows.
    package var profiles: GrowingStrings
    package var names: [Namespace: GrowingStrings] = [:]
    /// Field values, oldest first.
    package var fields: [ProfileSource] = []
    package var fieldCells = 0
    package var objects: [CatalogueObject] = []
    package var events: [any EventSource] = []
    package var eventCount = 0
    /// Given to pass over events that have been there before.
    package var distinct: DistinctEvents?
    /// The batch's own id and the digest of its content.
    package var identity: (id: [UInt8], digest: [UInt8])?
    /// Rows of profiles that are no more.
    var erased: [Row] = []

    /// Whether no family has anything to write.
    var isEmpty: Bool { PartKind.allCases.allSatisfy { $0.family.size(in: self) == 0 } }

    /// About how much memory the strings take.
    package var memory: Int { names.values.reduce(profiles.new.memory) { $0 + $1.new.memory } }

    /// An empty batch for a version of a store.
    package init(_ snapshot: StoreVersion) throws(WinnowError) {
        profiles = GrowingStrings(.profile, try snapshot.keys())
        for namespace in Namespace.names {
            names[namespace] = GrowingStrings(namespace, try snapshot.strings(namespace))
        }
    }
}
