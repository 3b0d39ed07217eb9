import Yams

/// A value of the configuration file that knows where it stands, so that every complaint can point at it.
struct YAMLValue {
    let node: Node
    /// The keys that lead here: `tenants[0].services.mail`.
    let path: String
    let file: String
    let problems: ProblemList

    var place: SourcePlace {
        SourcePlace(file: file, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0)
    }

    /// Nothing, `~` or `null` stands here.
    var isNull: Bool {
        guard let scalar = node.scalar, scalar.style == .plain else { return false }
        return scalar.string.isEmpty || scalar.string == "~" || scalar.string == "null"
    }

    func report(_ message: String, _ remedy: String) {
        problems.report(message, remedy: remedy, at: place, key: path)
    }

    /// A scalar that is not empty; reports anything else.
    func text(_ expectation: String) -> String? {
        guard let scalar = node.scalar, !isNull, !scalar.string.trimmed.isEmpty else {
            report("Here belongs \(expectation), not \(kind).", "")
            return nil
        }
        return scalar.string.trimmed
    }

    func boolean() -> Bool? {
        switch node.scalar?.string {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: refuse("true or false")
        }
    }

    /// A whole number within `range`.
    func number(in range: ClosedRange<Int>) -> Int? {
        guard let text = node.scalar?.string, let number = Int(text), range.contains(number) else {
            return refuse("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A time span with its unit: `90s`, `15m`, `2h`, `30d`; not negative.
    func duration() -> Duration? {
        guard let text = node.scalar?.string, let duration = Duration(spelled: text) else {
            return refuse("a time span such as 90s, 15m, 2h or 30d")
        }
        return duration
    }

    /// The elements of a list; one value alone counts as a list of one.
    func elements(_ expectation: String) -> [YAMLValue] {
        if let sequence = node.sequence {
            return sequence.enumerated().map { index, node in
                YAMLValue(node: node, path: "\(path)[\(index)]", file: file, problems: problems)
            }
        }
        if node.scalar != nil, !isNull { return [self] }
        report("Here belongs a list of \(expectation), not \(kind).", "Begin each element with a dash.")
        return []
    }

    /// A mapping; reports keys that are not among `known`.
    func mapping(knows known: [String], of subject: String) -> YAMLMapping? {
        guard let mapping = node.mapping else {
            report(
                "Here belongs \(subject), which is a mapping, not \(kind).",
                "Its keys are \(known.joined(separator: ", ")).")
            return nil
        }
        var values: [String: YAMLValue] = [:]
        for (key, value) in mapping {
            let name = key.scalar?.string ?? ""
            let keyPath = path.isEmpty ? name : "\(path).\(name)"
            guard known.contains(name) else {
                let hint = Suggestion.nearest(to: name, among: known).map { "Did you mean \($0)? " } ?? ""
                problems.report(
                    "Ferry does not know this key.",
                    remedy: "\(hint)Keys of \(subject) are \(known.joined(separator: ", ")).",
                    at: SourcePlace(file: file, line: key.mark?.line ?? 0, column: key.mark?.column ?? 0), key: keyPath)
                continue
            }
            values[name] = YAMLValue(node: value, path: keyPath, file: file, problems: problems)
        }
        return YAMLMapping(whole: self, values: values, order: mapping.compactMap { $0.key.scalar?.string })
    }

    private func refuse<Value>(_ expectation: String) -> Value? {
        report("Here belongs \(expectation), not \(kind).", "")
        return nil
    }

    /// What stands here, for messages.
    private var kind: String {
        if isNull { return "nothing" }
        return switch node {
        case .scalar(let scalar): scalar.string.quoted
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}

/// A mapping whose keys are known.
struct YAMLMapping {
    let whole: YAMLValue
    fileprivate let values: [String: YAMLValue]
    /// Keys in the order of the file, unknown ones included.
    let order: [String]

    fileprivate init(whole: YAMLValue, values: [String: YAMLValue], order: [String]) {
        self.whole = whole
        self.values = values
        self.order = order
    }

    /// The value of an optional key; `nil` when it is absent or null.
    subscript(_ key: String) -> YAMLValue? {
        guard let value = values[key], !value.isNull else { return nil }
        return value
    }

    /// The value of a key that must be there; reports its absence with an example.
    func required(_ key: String, example: String) -> YAMLValue? {
        if let value = self[key] { return value }
        let path = whole.path.isEmpty ? key : "\(whole.path).\(key)"
        whole.problems.report("The key is missing.", remedy: "For example: \(example)", at: whole.place, key: path)
        return nil
    }
}

extension Duration {
    /// Reads `90s`, `15m`, `2h`, `30d`, or several of them from large to small (`1h30m`); `nil` for anything else.
    init?(spelled text: some StringProtocol) {
        var seconds: Int64 = 0
        var number: Int64?
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let digit = Int64(byte - UInt8(ascii: "0"))
                guard (number ?? 0) < 1_000_000_000 else { return nil }
                number = (number ?? 0) * 10 + digit
            default:
                let units: [UInt8: Int64] = [
                    UInt8(ascii: "s"): 1, UInt8(ascii: "m"): 60, UInt8(ascii: "h"): 3600, UInt8(ascii: "d"): 86400,
                ]
                guard let count = number, let unit = units[byte] else { return nil }
                seconds += count * unit
                number = nil
            }
        }
        guard number == nil, !text.isEmpty else { return nil }
        self = .seconds(seconds)
    }
}
