import WinnowColumns
import WinnowFormat
import WinnowModel

/// Campaigns and templates, each as it was loaded last.
enum CatalogueFamily: PartFamily {
    static let kind = PartKind.catalogue
    static let share = StoreShare.catalogue

    static func size(in batch: Batch) -> Int { batch.objects.count * 128 }

    static func write(_ merge: Merge, to part: PartWriter) throws(WinnowError) -> PartReference {
        var parts: [[CatalogueObject]] = []
        for reference in merge.older {
            parts.append(try CataloguePart.read(try merge.directory.open(reference)))
        }
        let objects = CataloguePart.merged(parts + [merge.batch.objects])
        return try CataloguePart.write(objects, to: part) { (object) throws(WinnowError) in
            unsafe object.id.withUnsafeBytes { id in
                unsafe merge.batch.names[object.kind.namespace]?.find(id, hash: stringHash(id))
            }
        }
    }

    static func verify(_ check: StoreCheck) throws(WinnowError) {
        for file in try check.snapshot.files(kind) {
            let objects = try CataloguePart.read(file)
            check.findings.expect(
                CataloguePart.merged([objects]).count == objects.count, file.path,
                "an object is there twice")
            try CataloguePart.verifySelectors(file, objects, check.findings) {
                (object) throws(WinnowError) in
                try check.snapshot.strings(object.kind.namespace).code(of: object.id)
            }
        }
    }

    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) { try value.searchObjects(file, found) }
}
