import ArgumentParser
import FerryConnector
import FerryCore
import FerryEngine
import FerryTestKit

/// The logins of one person at both sides.
struct LoginPair: Sendable {
    let source: String
    let target: String

    /// Reads arguments of the form SOURCE=TARGET.
    static func read(_ arguments: [String]) throws -> [LoginPair] {
        let pairs = arguments.compactMap { argument -> LoginPair? in
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            return parts.count == 2 ? LoginPair(source: parts[0], target: parts[1]) : nil
        }
        guard !pairs.isEmpty, pairs.count == arguments.count else {
            throw ValidationError("Logins are written SOURCE=TARGET.")
        }
        return pairs
    }
}

extension Transfer.Leg {
    /// One service of person `number` of the north, who becomes that of the south.
    static func bench(
        _ service: ServiceKind, _ source: any Connector, _ target: any Connector, _ number: Int, _ logins: LoginPair
    ) -> Transfer.Leg {
        Transfer.Leg(
            service: service, source: source,
            sourceAccount: Account(
                tenant: StaticDirectory.source, person: StaticDirectory.sourcePerson(number), login: logins.source),
            target: target,
            targetAccount: Account(
                tenant: StaticDirectory.target, person: StaticDirectory.targetPerson(number), login: logins.target))
    }
}
