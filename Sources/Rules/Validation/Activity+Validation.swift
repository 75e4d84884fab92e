import Model

extension Activity {
    func validate(_ path: RulePath) throws(WinnowError) {
        func bad(_ key: RuleKey, _ message: String) -> WinnowError {
            .invalidRule(path: path.key(key), message: message)
        }
        try type.channel.validate(type.event, path.key(.event))
        if let instead = condition.operator.restricted {
            let given: [(RuleKey, Bool)] = [
                (.campaigns, campaigns != nil), (.templates, templates != nil), (.links, links != nil),
                (.during, during != nil), (.precededBy, precededBy != nil), (.counting, counting != .total),
            ]
            if let (key, _) = given.first(where: \.1) {
                let name = condition.operator.rawValue
                throw bad(key, "“\(name)” looks at all activity; use “\(instead.rawValue)” to restrict it")
            }
        }
        try condition.validate(path.key(.times))
        if precededBy != nil, condition != .notHappened {
            throw bad(.precededBy, "only “not_happened” takes a preceding event")
        }
        if links != nil, !type.event.takesLinks {
            throw bad(.links, "only clicks have links, not “\(type.event.name)”")
        }
        if counting != .total {
            if precededBy != nil { throw bad(.counting, "“counting” and “preceded_by” do not go together") }
            guard (campaigns == nil) != (templates == nil) else {
                throw bad(.counting, "“\(counting.rawValue)” needs exactly one of campaigns and templates")
            }
        }
        try campaigns?.validate(path.key(.campaigns))
        try templates?.validate(path.key(.templates))
        if let links { try RuleLimits.validate(count: links.count, path.key(.links)) }
        try during?.validate(path.key(.during))
        try precededBy?.validate(of: self, path.key(.precededBy))
    }
}

extension Channel {
    /// Checks that an event exists in the channel.
    fileprivate func validate(_ event: Event, _ path: RulePath) throws(WinnowError) {
        if !Catalogue.contains(self, event) { throw noEvent(event.name, path) }
    }

    /// The error for an event that the channel does not have.
    func noEvent(_ name: String, _ path: RulePath) -> WinnowError {
        let legal = Catalogue.events(of: self).map(\.name).joined(separator: ", ")
        return .invalidRule(
            path: path, message: "\(self.name) has no event “\(name)”; its events are \(legal)")
    }
}

extension CountCondition {
    /// - Parameter path: the place of its numbers.
    fileprivate func validate(_ path: RulePath) throws(WinnowError) {
        switch self {
        case .atLeast(0):
            throw .invalidRule(
                path: path, message: "at least 0 times holds for everybody; use “not_happened” for never")
        case .between(let lo, let hi) where lo > hi:
            throw .invalidRule(
                path: path, message: "the lowest number, \(lo), is above the highest, \(hi)")
        default: break
        }
    }
}

extension Selector {
    fileprivate func validate(_ path: RulePath) throws(WinnowError) {
        guard !ids.isEmpty || hasConditions else {
            throw .invalidRule(path: path, message: "the selector is empty")
        }
        for list in [ids, tags, allTags] where !list.isEmpty { try RuleLimits.validate(count: list.count, path) }
        var seen: Set<[UInt8]> = []
        for condition in attributes {
            let place = path.key(.attributes).key(condition.key)
            guard seen.insert(Array(condition.key.utf8)).inserted else {
                throw .invalidRule(path: place, message: "the key is repeated")
            }
            try RuleLimits.validate(count: condition.values.count, place)
        }
    }
}

extension Preceding {
    fileprivate func validate(of activity: Activity, _ path: RulePath) throws(WinnowError) {
        try activity.type.channel.validate(event, path.key(.event))
        guard atLeast > 0 else {
            throw .invalidRule(path: path.key(.atLeast), message: "0 is not between 1 and \(UInt32.max)")
        }
        // Links restrict the rule's own events alone: a click, but none on these links.
        guard event != activity.type.event || activity.links != nil else {
            throw .invalidRule(
                path: path.key(.event),
                message: "what has not happened cannot have preceded; name another event than “\(event.name)”")
        }
    }
}
