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
        return try CataloguePart.write(
            CataloguePart.merged(parts + [merge.batch.objects]), to: part)
    }

    static func verify(_ check: StoreCheck) throws(WinnowError) {
        for file in try check.snapshot.files(kind) {
            let objects = try CataloguePart.read(file)
            check.findings.expect(
                CataloguePart.merged([objects]).count == objects.count, file.path,
                "an object is there twice")
            for object in objects {
                let known =
                    try check.snapshot.strings(object.kind.namespace).code(of: object.id) != nil
                check.findings.expect(
                    known, file.path, "an object that the dictionary does not have")
            }
        }
    }

    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) { try value.searchObjects(file, found) }
}
