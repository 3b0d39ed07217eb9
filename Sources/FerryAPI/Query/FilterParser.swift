import FerryCore

/// Reads `$filter` into a `Predicate`: recursive descent over OData 4.01 part 2, section 5.1.1, as far as reference 7.4
/// asks for it.
///
/// ```
/// or         = and { "or" and }
/// and        = unary { "and" unary }
/// unary      = [ "not" ] ( "(" or ")" | term )
/// term       = function [ ("eq" | "ne") bool ] | collection "/" ("any" | "all") "(" [ lambda ] ")"
///            | operand ( operator literal | "in" "(" literals ")" ) | literal operator operand | bool
/// ```
///
/// Nesting and the number of comparisons are bounded, so that no input costs more than its length.
struct FilterParser<Field: Sendable & Hashable> {
    private let schema: FilterSchema<Field>
    private let tokens: [FilterToken]
    private var index = 0
    private var terms = 0

    private init(_ text: String, schema: FilterSchema<Field>) throws(Failure) {
        self.schema = schema
        tokens = try FilterToken.all(of: text)
    }

    /// Throws `Failure.badRequest` with the place of the problem.
    static func parse(_ text: String, schema: FilterSchema<Field>) throws(Failure) -> Predicate<Field> {
        var parser = try FilterParser(text, schema: schema)
        let predicate = try parser.disjunction(predicates, depth: 0)
        guard parser.current.kind == .end else { throw parser.unexpected("'and', 'or' or the end") }
        return predicate
    }

    // MARK: boolean structure, shared by the filter and the lambdas in it

    /// How conditions of one kind are put together, and how a single one is read.
    private struct Logic<Condition> {
        var and: (Condition, Condition) -> Condition
        var or: (Condition, Condition) -> Condition
        var not: (Condition) -> Condition
        var term: (inout FilterParser) throws(Failure) -> Condition
    }

    private static var predicates: Logic<Predicate<Field>> {
        Logic(
            and: { .and($0, $1) }, or: { .or($0, $1) }, not: { .not($0) },
            term: { (parser) throws(Failure) in try parser.term() })
    }

    /// Conditions on the elements of a collection, as the indices of the elements that satisfy them.
    private static func elements(of collection: FilterCollection<Field>, variable: String) -> Logic<Set<Int>> {
        let all = Set(collection.elements.indices)
        return Logic(
            and: { $0.intersection($1) }, or: { $0.union($1) }, not: { all.subtracting($0) },
            term: { (parser) throws(Failure) in try parser.elementTerm(of: collection, variable: variable) })
    }

    private mutating func disjunction<C>(_ logic: Logic<C>, depth: Int) throws(Failure) -> C {
        var left = try conjunction(logic, depth: depth)
        while takeName("or") { left = logic.or(left, try conjunction(logic, depth: depth)) }
        return left
    }

    private mutating func conjunction<C>(_ logic: Logic<C>, depth: Int) throws(Failure) -> C {
        var left = try unary(logic, depth: depth)
        while takeName("and") { left = logic.and(left, try unary(logic, depth: depth)) }
        return left
    }

    private mutating func unary<C>(_ logic: Logic<C>, depth: Int) throws(Failure) -> C {
        guard depth < APILimits.filterDepth else {
            throw problem("nested deeper than \(APILimits.filterDepth) levels", at: current)
        }
        if takeName("not") {
            // `not` binds tighter than `eq`, so `not a eq b` would be `(not a) eq b`.
            if case .name(let name) = current.kind, isProperty(name), tokens[index + 1].kind != .slash {
                throw problem("put what 'not' negates in parentheses", at: current)
            }
            return logic.not(try unary(logic, depth: depth + 1))
        }
        if take(.open) {
            let inner = try disjunction(logic, depth: depth + 1)
            try expect(.close, "')'")
            return inner
        }
        terms += 1
        guard terms <= APILimits.filterTerms else { throw tooMany() }
        return try logic.term(&self)
    }

    // MARK: terms of the filter

    private mutating func term() throws(Failure) -> Predicate<Field> {
        switch current.kind {
        case .name(let name):
            let lowered = name.lowercased()
            if tokens[index + 1].kind == .open, let match = Self.functions[lowered] { return try function(match) }
            if tokens[index + 1].kind == .slash { return try path(name) }
            if lowered == "true" || lowered == "false" {
                index += 1
                return .always(lowered == "true")
            }
            return try comparison()
        case .text, .enumeration, .literal: return try flippedComparison()
        default: throw unexpected("a condition")
        }
    }

    private static var functions: [String: TextMatch] {
        ["startswith": .startsWith, "contains": .contains, "endswith": .endsWith]
    }

    private mutating func function(_ match: TextMatch) throws(Failure) -> Predicate<Field> {
        index += 2
        let subject = try operand()
        try expect(.comma, "','")
        let place = current
        var text = try textLiteral()
        try expect(.close, "')'")
        let result: Predicate<Field>
        switch subject.property {
        case .constant(let value):
            result = .always(match.holds(value.lowercased(), text.lowercased()))
        case .field(let field, .guid):
            text = text.lowercased()
            result = .match(field, match, text, foldingCase: false)
        case .field(let field, .text) where subject.isLowered:
            // Nothing in lower case holds a capital.
            result = text == text.lowercased() ? .match(field, match, text, foldingCase: true) : .always(false)
        case .field(let field, .text): result = .match(field, match, text, foldingCase: false)
        case .field(_, .instant), .field(_, .enumeration):
            throw problem("'\(subject.name)' is not a text", at: place)
        }
        return try comparedToBool(result)
    }

    /// `contains(…) eq true` is a habit of generated queries.
    private mutating func comparedToBool(_ predicate: Predicate<Field>) throws(Failure) -> Predicate<Field> {
        let equal: Bool
        if takeName("eq") { equal = true } else if takeName("ne") { equal = false } else { return predicate }
        if takeName("true") { return equal ? predicate : .not(predicate) }
        if takeName("false") { return equal ? .not(predicate) : predicate }
        throw unexpected("true or false")
    }

    private struct Operand {
        var name: String
        var property: FilterSchema<Field>.Property
        var isLowered: Bool
    }

    private mutating func operand() throws(Failure) -> Operand {
        guard case .name(let name) = current.kind else { throw unexpected("a property") }
        if name.lowercased() == "tolower", tokens[index + 1].kind == .open {
            index += 2
            var inner = try operand()
            try expect(.close, "')'")
            inner.isLowered = true
            return inner
        }
        guard let property = schema.property(name) else {
            throw problem("there is no property '\(name.prefix(64))' to filter by", at: current)
        }
        index += 1
        return Operand(name: name, property: property, isLowered: false)
    }

    private mutating func comparison() throws(Failure) -> Predicate<Field> {
        let place = current
        let left = try operand()
        if takeName("in") {
            try expect(.open, "'('")
            var parts: [Predicate<Field>] = []
            repeat {
                terms += 1
                guard terms <= APILimits.filterTerms else { throw tooMany() }
                parts.append(try compare(left, .equal, at: place))
            } while take(.comma)
            try expect(.close, "')'")
            return Self.joined(parts)
        }
        return try compare(left, try comparisonOperator(), at: place)
    }

    /// `'completed' eq status`.
    private mutating func flippedComparison() throws(Failure) -> Predicate<Field> {
        let literal = index
        index += 1
        let comparison = try comparisonOperator()
        let place = current
        let operand = try operand()
        let end = index
        index = literal
        let result = try compare(operand, comparison.flipped, at: place)
        index = end
        return result
    }

    private mutating func comparisonOperator() throws(Failure) -> Comparison {
        if case .name(let name) = current.kind {
            let found: Comparison? =
                switch name.lowercased() {
                case "eq": .equal
                case "ne": .notEqual
                case "lt": .less
                case "le": .lessOrEqual
                case "gt": .greater
                case "ge": .greaterOrEqual
                default: nil
                }
            if let found {
                index += 1
                return found
            }
        }
        throw unexpected("an operator (eq, ne, lt, le, gt, ge, in)")
    }

    /// Reads the literal that the operand is compared with.
    private mutating func compare(
        _ left: Operand, _ comparison: Comparison, at place: FilterToken
    ) throws(Failure) -> Predicate<Field> {
        let isEquality = comparison == .equal || comparison == .notEqual
        if takeName("null") {
            guard isEquality else { throw problem("null can only be compared with eq and ne", at: place) }
            guard case .field(let field, _) = left.property else { return .always(comparison == .notEqual) }
            return .compare(field, comparison, .null)
        }
        switch left.property {
        case .constant(let value):
            guard isEquality else { throw problem("'\(left.name)' can only be compared with eq, ne and in", at: place) }
            return .always(ASCII.equalFoldingCase(try textLiteral(), value) == (comparison == .equal))
        case .field(let field, .guid):
            return .compare(field, comparison, .text(try textLiteral().lowercased()))
        case .field(let field, .text):
            let text = try textLiteral()
            guard left.isLowered else { return .compare(field, comparison, .text(text)) }
            guard isEquality else {
                throw problem("tolower() can only be compared with eq, ne and in", at: place)
            }
            // Nothing in lower case is equal to a text with a capital.
            guard text == text.lowercased() else { return .always(comparison == .notEqual) }
            let match = Predicate<Field>.match(field, .equals, text, foldingCase: true)
            return comparison == .equal ? match : .not(match)
        case .field(let field, .instant): return .compare(field, comparison, .instant(try instantLiteral()))
        case .field(let field, .enumeration(let type, let stored)):
            guard isEquality else { throw problem("'\(left.name)' can only be compared with eq, ne and in", at: place) }
            let member = try enumLiteral(type: type, members: Set(stored.keys))
            guard let value = stored[member] else { return .always(comparison == .notEqual) }
            return .compare(field, comparison, .text(value))
        }
    }

    /// `in` as one `isIn` where all parts compare one field, else as a disjunction.
    private static func joined(_ parts: [Predicate<Field>]) -> Predicate<Field> {
        var field: Field?
        var values: [QueryValue] = []
        for part in parts {
            switch part {
            case .always(false): continue
            case .compare(let own, .equal, let value) where value != .null && (field == nil || field == own):
                field = own
                values.append(value)
            default: return .anyOf(parts)
            }
        }
        guard let field else { return .always(false) }
        return values.count == 1 ? .compare(field, .equal, values[0]) : .isIn(field, values)
    }

    // MARK: literals

    /// A text, or `tolower` of one.
    private mutating func textLiteral() throws(Failure) -> String {
        switch current.kind {
        case .text(let text):
            index += 1
            return text
        case .name(let name) where name.lowercased() == "tolower" && tokens[index + 1].kind == .open:
            index += 2
            guard case .text(let text) = current.kind else { throw unexpected("a text in single quotes") }
            index += 1
            try expect(.close, "')'")
            return text.lowercased()
        default: throw unexpected("a text in single quotes")
        }
    }

    private mutating func instantLiteral() throws(Failure) -> Instant {
        guard case .literal(let text) = current.kind, let instant = WireDate.parse(text) else {
            throw unexpected("a date without quotes, such as 2031-03-01T06:00:00Z")
        }
        index += 1
        return instant
    }

    /// A member of the enum, plain or qualified with the type; the sentinel of evolvable enums is one too.
    private mutating func enumLiteral(type: String, members: Set<String>) throws(Failure) -> String {
        let member: String
        switch current.kind {
        case .text(let text): member = text
        case .enumeration(let given, let text) where ASCII.equalFoldingCase(given, Schema.qualified(type)):
            member = text
        default: throw unexpected("a member of \(type) in single quotes")
        }
        guard members.contains(member) || member == WireText.unknownFutureValue else {
            throw problem("'\(member.prefix(64))' is not a member of \(type)", at: current)
        }
        index += 1
        return member
    }

    // MARK: any and all

    private mutating func path(_ name: String) throws(Failure) -> Predicate<Field> {
        guard let collection = schema.collection(name) else {
            throw problem("there is no collection '\(name.prefix(64))' to filter by", at: current)
        }
        index += 2
        let isAny: Bool
        if takeName("any") {
            isAny = true
        } else if takeName("all") {
            isAny = false
        } else {
            throw unexpected("any or all")
        }
        try expect(.open, "'('")
        let all = Set(collection.elements.indices)
        if isAny, take(.close) { return collection.holdsAny(all) }
        guard case .name(let variable) = current.kind else { throw unexpected("a range variable") }
        index += 1
        try expect(.colon, "':'")
        let satisfied = try disjunction(Self.elements(of: collection, variable: variable), depth: 1)
        try expect(.close, "')'")
        // Every element satisfies a condition unless one is among those that do not.
        return isAny ? collection.holdsAny(satisfied) : .not(collection.holdsAny(all.subtracting(satisfied)))
    }

    /// One comparison inside a lambda, as the indices of the elements that satisfy it.
    private mutating func elementTerm(
        of collection: FilterCollection<Field>, variable: String
    ) throws(Failure) -> Set<Int> {
        let place = current
        guard case .name(variable) = current.kind else { throw unexpected("'\(variable.prefix(32))'") }
        index += 1
        var member = ""
        if take(.slash) {
            guard case .name(let name) = current.kind else { throw unexpected("a property") }
            member = name.lowercased()
            index += 1
        }
        guard collection.elements.first?[member] != nil else {
            throw problem("this property cannot be filtered by", at: place)
        }
        var literals: [String] = []
        var wanted = true
        if takeName("in") {
            try expect(.open, "'('")
            repeat { literals.append(try elementLiteral(member, of: collection)) } while take(.comma)
            try expect(.close, "')'")
        } else {
            switch try comparisonOperator() {
            case .equal: break
            case .notEqual: wanted = false
            case .less, .lessOrEqual, .greater, .greaterOrEqual:
                throw problem("only eq, ne and in can be used here", at: place)
            }
            literals.append(try elementLiteral(member, of: collection))
        }
        terms += literals.count
        guard terms <= APILimits.filterTerms else { throw tooMany() }
        return Set(
            collection.elements.indices.filter { index in
                let value = collection.elements[index][member] ?? ""
                return literals.contains { ASCII.equalFoldingCase($0, value) } == wanted
            })
    }

    private mutating func elementLiteral(
        _ member: String, of collection: FilterCollection<Field>
    ) throws(Failure) -> String {
        guard let enumeration = collection.enumerations[member] else { return try textLiteral() }
        return try enumLiteral(type: enumeration.type, members: enumeration.members)
    }

    // MARK: tokens

    private var current: FilterToken { tokens[index] }

    private mutating func take(_ kind: FilterToken.Kind) -> Bool {
        guard current.kind == kind else { return false }
        index += 1
        return true
    }

    /// Operators and keywords; case is forgiven.
    private mutating func takeName(_ word: String) -> Bool {
        guard case .name(let name) = current.kind, ASCII.equalFoldingCase(name, word) else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ kind: FilterToken.Kind, _ wanted: String) throws(Failure) {
        guard take(kind) else { throw unexpected(wanted) }
    }

    private func isProperty(_ name: String) -> Bool { schema.property(name) != nil }

    private func unexpected(_ wanted: String) -> Failure {
        problem("expected \(wanted), found \(current.description)", at: current)
    }

    private func tooMany() -> Failure { problem("more than \(APILimits.filterTerms) comparisons", at: current) }

    private func problem(_ text: String, at token: FilterToken) -> Failure {
        .badRequest("$filter: \(text), at position \(token.position).", target: "$filter")
    }
}

extension Comparison {
    /// The operator with its sides exchanged.
    fileprivate var flipped: Comparison {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }
}

extension TextMatch {
    fileprivate func holds(_ text: String, _ part: String) -> Bool {
        switch self {
        case .startsWith: text.hasPrefix(part)
        case .endsWith: text.hasSuffix(part)
        case .contains: part.isEmpty || text.indices.contains { text[$0...].hasPrefix(part) }
        case .equals: text == part
        }
    }
}
