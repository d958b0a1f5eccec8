package import AlertEngine
package import CampusModel

/// Lays rules on a site: one instance for every point, device, room, building, bus or site that a rule is for.
package struct RuleBinding: Sendable {
    /// Something of a rule that does not fit the site.
    package struct Problem: Sendable, Hashable {
        package var rule: String
        package var line: Int
        package var text: LocalizedText
    }

    package private(set) var set: RuleSet
    package private(set) var problems: [Problem] = []
    /// Rules that watch nothing here.
    package private(set) var idle: [String] = []

    /// More instances than this are not watched.
    package static let instancesMax = 200_000

    private let site: WatchedSite
    private let tree: SiteTree

    package init(_ templates: [RuleTemplate], on site: WatchedSite) {
        self.site = site
        self.tree = SiteTree(site)
        self.set = RuleSet(
            signals: site.points.map { RuleSet.Signal(point: $0.id, staleAfter: 3 * max($0.interval, 1_000)) },
            rules: templates.map(\.rule),
            instances: [],
            hours: site.hours
        )
        for (index, template) in templates.enumerated() { self.bind(template, index) }
    }

    private mutating func bind(_ template: RuleTemplate, _ rule: Int) {
        var chosen = template.watch
        if case .join(let terms) = template.condition, let first = terms.first { chosen = first.selection }
        let points = self.site.points.indices.filter { self.matches($0, chosen) }
        let groups = Dictionary(grouping: points) { self.groupName($0, template.scope) }
        var count = 0
        for (name, members) in groups.sorted(by: { $0.key < $1.key }) where !name.isEmpty {
            guard self.set.instances.count < Self.instancesMax else {
                self.note(
                    template,
                    vi: "quá nhiều cảnh báo; chỉ theo dõi \(Self.instancesMax)",
                    en: "too many; only \(Self.instancesMax) are watched"
                )
                return
            }
            guard let condition = self.condition(template, members, name) else { continue }
            let node = self.node(of: template.scope, name, members)
            self.set.instances.append(
                RuleInstance(
                    rule: rule,
                    instance: name,
                    node: node,
                    condition: condition,
                    states: template.states,
                    reach: self.reach(template, node, members),
                    places: self.places(node, members, template.scope)
                )
            )
            count += 1
        }
        if count == 0 { self.idle.append(template.rule.id) }
    }

    private func groupName(_ point: Int, _ scope: RuleTemplate.Scope) -> String {
        let point = self.site.points[point]
        switch scope {
        case .point: return point.id.description
        case .device: return point.id.device.rawValue
        case .room: return point.node.rawValue
        case .building: return self.tree.above(point.node, kind: "building")?.rawValue ?? ""
        case .site: return self.tree.root.rawValue
        case .bus: return point.bus
        }
    }

    private func node(of scope: RuleTemplate.Scope, _ name: String, _ members: [Int]) -> NodeID {
        switch scope {
        case .point, .device, .room: members.first.map { self.site.points[$0].node } ?? self.tree.root
        case .building: NodeID(rawValue: name)
        case .site, .bus: self.tree.root
        }
    }

    private func reach(_ template: RuleTemplate, _ node: NodeID, _ members: [Int]) -> Set<String> {
        guard template.rule.cause != nil else { return [] }
        switch template.reach {
        case .node: return [node.rawValue]
        case .building: return [self.tree.above(node, kind: "building")?.rawValue ?? node.rawValue]
        case .site: return [self.tree.root.rawValue]
        case .bus: return Set(members.map { "bus:\(self.site.points[$0].bus)" })
        }
    }

    private func places(_ node: NodeID, _ members: [Int], _ scope: RuleTemplate.Scope) -> Set<String> {
        var places = Set(self.tree.path(node).map(\.rawValue))
        // What is made of several buses does not follow from one of them.
        let buses = Set(members.map { self.site.points[$0].bus })
        if scope != .site, buses.count == 1, let bus = buses.first { places.insert("bus:\(bus)") }
        return places
    }

    private func matches(_ index: Int, _ selection: RuleTemplate.Selection) -> Bool {
        let point = self.site.points[index]
        func has(_ list: [String], _ word: String) -> Bool { list.isEmpty || list.contains(word) }
        return has(selection.points, point.id.name) && has(selection.categories, point.category)
            && has(selection.profiles, point.profile) && has(selection.devices, point.id.device.rawValue)
            && has(selection.buses, point.bus)
            && (selection.rooms.isEmpty || self.tree.room(point.node).map(selection.rooms.contains) ?? false)
            && (selection.nodes.isEmpty
                || self.tree.path(point.node).contains { selection.nodes.contains($0.rawValue) })
    }

    private mutating func note(_ template: RuleTemplate, vi: String, en: String) {
        guard self.problems.count < 200 else { return }
        self.problems.append(
            Problem(rule: template.rule.id, line: template.line, text: LocalizedText(vi: vi, en: en))
        )
    }

    /// An input in the unit of the rule; `nil` when the point's unit does not become it.
    private mutating func input(_ point: Int, _ unit: String?, _ template: RuleTemplate) -> RuleInput? {
        guard let unit else { return RuleInput(signal: point) }
        let source = self.site.points[point]
        guard let conversion = UnitConversion(from: source.unit, to: unit) else {
            self.note(
                template,
                vi: "\(source.id) đo bằng \(source.unit), không đổi được sang \(unit)",
                en: "\(source.id) is in \(source.unit), which does not become \(unit)"
            )
            return nil
        }
        return RuleInput(signal: point, conversion: conversion)
    }

    private mutating func condition(
        _ template: RuleTemplate,
        _ members: [Int],
        _ name: String
    ) -> AlertCondition? {
        switch template.condition {
        case .join(let terms): return self.join(template, terms, members)
        case .missing(let span):
            let usual = members.map { self.set.signals[$0].staleAfter }.min() ?? 0
            return .missing(members.map { RuleInput(signal: $0) }, span: span ?? usual)
        case .aggregate(let aggregate, let limits, let quorum):
            let unit = aggregate == .count || aggregate == .silent ? nil : template.unit ?? "1"
            let inputs = members.compactMap { self.input($0, unit, template) }
            guard inputs.count >= quorum else { return nil }
            return .aggregate(inputs, aggregate, limits, quorum: quorum)
        default: break
        }
        guard members.count == 1, let point = members.first else {
            self.note(
                template,
                vi: "\(name) có \(members.count) điểm đo; hãy dùng 'aggregate' hoặc 'per: point'",
                en: "\(name) has \(members.count) points; use 'aggregate', or 'per: point'"
            )
            return nil
        }
        switch template.condition {
        case .quality(let reasons, let uncertainToo):
            return .quality(RuleInput(signal: point), reasons: reasons, uncertainToo: uncertainToo)
        case .stuck(let span, let tolerance, let partner, let partnerTolerance):
            guard let input = self.input(point, template.unit, template) else { return nil }
            return .stuck(
                input,
                span: span,
                tolerance: tolerance,
                partner: partner.flatMap { self.partner(of: point, called: $0) },
                partnerTolerance: partnerTolerance
            )
        case .runHours(let limits): return .runHours(RuleInput(signal: point), limits)
        case .anomaly(let limits): return .anomaly(RuleInput(signal: point), limits)
        default: break
        }
        guard let input = self.input(point, template.unit ?? "1", template) else { return nil }
        switch template.condition {
        case .threshold(let limits): return .threshold(input, limits)
        case .rate(let limits, let window, let per):
            return .rate(input, limits, window: window, per: per)
        case .counter(let limits, let window): return .counter(input, limits, window: window)
        case .excess(let over, let isBelow, let limits): return .excess(input, over: over, isBelow: isBelow, limits)
        case .forecast(let limits, let step, let season, let horizon):
            return .forecast(input, limits, step: step, season: season, horizon: horizon)
        default: return nil
        }
    }

    /// The point of that name on the same device, else in the same room.
    private func partner(of point: Int, called name: String) -> RuleInput? {
        let own = self.site.points[point]
        let same = self.site.points.indices.filter { self.site.points[$0].id.name == name && $0 != point }
        let found =
            same.first { self.site.points[$0].id.device == own.id.device }
            ?? same.first { self.site.points[$0].node == own.node }
        return found.map { RuleInput(signal: $0) }
    }

    private mutating func join(
        _ template: RuleTemplate,
        _ terms: [RuleTemplate.Term],
        _ members: [Int]
    ) -> AlertCondition? {
        guard let node = members.first.map({ self.site.points[$0].node }) else { return nil }
        var parts: [AlertCondition.Term] = []
        for (index, term) in terms.enumerated() {
            var points = members
            if index > 0 {
                let place: NodeID =
                    switch template.scope {
                    case .building: self.tree.above(node, kind: "building") ?? node
                    case .site, .bus: self.tree.root
                    default: node
                    }
                points = self.site.points.indices.filter {
                    self.matches($0, term.selection) && self.tree.path(self.site.points[$0].node).contains(place)
                }
            }
            let inputs = points.compactMap { self.input($0, term.unit, template) }
            // Without one of its parts a room has nothing to be watched.
            guard !inputs.isEmpty else { return nil }
            parts.append(
                AlertCondition.Term(
                    inputs: inputs,
                    isEvery: term.isEvery,
                    term.comparison,
                    term.limit,
                    upper: term.upper,
                    held: term.held
                )
            )
        }
        return .join(parts)
    }
}

/// Who is above whom.
private struct SiteTree: Sendable {
    private let nodes: [NodeID: WatchedSite.Node]
    let root: NodeID

    init(_ site: WatchedSite) {
        self.nodes = Dictionary(site.nodes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.root = site.nodes.first { $0.parent == nil }?.id ?? NodeID(rawValue: "site")
    }

    func room(_ node: NodeID) -> String? { self.nodes[node]?.room }

    /// The node and all above it; ends where a file makes a circle.
    func path(_ node: NodeID) -> [NodeID] {
        var path = [node]
        while let next = path.last.flatMap({ self.nodes[$0]?.parent }), path.count < 16, !path.contains(next) {
            path.append(next)
        }
        return path
    }

    func above(_ node: NodeID, kind: String) -> NodeID? {
        self.path(node).first { self.nodes[$0]?.kind == kind }
    }
}
