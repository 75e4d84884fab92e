import WinnowColumns
import WinnowFormat
import WinnowModel
import Synchronization

extension PartKind {
    /// What there is to know of parts of the kind.
    var family: any PartFamily.Type {
        switch self {
        case .activity: ActivityFamily.self
        case .goals: GoalsFamily.self
        case .subscriptions: SubscriptionsFamily.self
        case .keys: KeysFamily.self
        case .profiles: ProfilesFamily.self
        case .dictionary: DictionaryFamily.self
        case .catalogue: CatalogueFamily.self
        case .members: MembersFamily.self
        case .segments: SegmentsFamily.self
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
    /// Saved segments that are new, replaced or removed, and what refreshes of lists came to.
    package var segments: [StoredSegment] = []
    package var refreshes: [StoredRefresh] = []
    package var memberships: [MembershipUpdate] = []
    /// What lists were before is forgotten.
    var droppedBefore: Int64?
    /// Events, goals and subscriptions, each by the kind of their parts.
    package var records: [PartKind: Records] = [:]
    /// Given to pass over events and goals that have been there before.
    package var distinct: DistinctEvents?
    /// Takes what the batch comes to.
    package let tally = Tally()
    /// The batch's own id and the digest of its content.
    package var identity: (id: [UInt8], digest: [UInt8])?
    /// Rows of profiles that are no more.
    var erased: [Row] = []

    /// Whether no family has anything to write.
    var isEmpty: Bool { PartKind.allCases.allSatisfy { $0.family.size(in: self) == 0 } }

    /// About how much memory the strings take.
    package var memory: Int { names.values.reduce(profiles.new.memory) { $0 + $1.new.memory } }

    /// What a batch has of one kind of parts, in the order of the rows that said it.
    package struct Records {
        package var sources: [any EventSource] = []
        package var count = 0

        package init() {}
    }

    /// What is only known once a batch is laid over what the store has.
    package final class Tally: Sendable {
        private let counts = Mutex(SubscriptionChanges.Tally())

        /// How many records of subscriptions were added and replaced.
        package var subscriptions: SubscriptionChanges.Tally { counts.withLock { $0 } }

        func set(_ tally: SubscriptionChanges.Tally) { counts.withLock { $0 = tally } }
    }

    /// An empty batch for a version of a store.
    package init(_ snapshot: StoreVersion) throws(WinnowError) {
        profiles = GrowingStrings(.profile, try snapshot.keys())
        for namespace in Namespace.names {
            names[namespace] = GrowingStrings(namespace, try snapshot.strings(namespace))
        }
    }
}
