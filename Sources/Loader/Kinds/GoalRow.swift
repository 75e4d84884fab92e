import WinnowColumns
import WinnowFormat
import WinnowModel

/// Rows of goals; a row without a profile is one of nobody.
struct GoalRows: RecordRows {
    static let parts = PartKind.goals
    static let namespaces: (campaign: Namespace, template: Namespace, link: Namespace?) =
        (.pixel, .goal, nil)
    /// The last time that can be.
    let latest: Int64

    private enum Column: Int { case profile, pixel, goal, time, timeMs, value }

    var columns: [InputColumn] {
        [
            InputColumn("profile", .id), InputColumn("pixel", .id, isRequired: true),
            InputColumn("goal", .id, isRequired: true), InputColumn("time", .other),
            InputColumn("time_ms", .other), InputColumn("value", .other),
        ]
    }
    var alternatives: [String] { RowTime.names }

    func row(_ cells: borrowing [InputCell], _ rules: ValueRules) throws(BadRow) -> RecordRow {
        func cell(_ column: Column) -> InputCell { cells[column.rawValue] }
        let named = cell(.profile)
        let profile = try unsafe named.bytes.isEmpty ? nil : named.optionalID("profile")
        var row = unsafe RecordRow(profile == nil ? .anonymousGoal : .goal, profile: profile)
        unsafe row.campaign = try cell(.pixel).id("pixel")
        unsafe row.template = try cell(.goal).id("goal")
        row.time = try RowTime.past(cell(.time), cell(.timeMs), rules, latest: latest)
        if cell(.value).isPresent { row.value = try cell(.value).number(.goalValue, rules) }
        return row
    }
}
