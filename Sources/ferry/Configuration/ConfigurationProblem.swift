/// A place in a file that a person wrote: where to look when something is wrong.
struct SourcePlace: Hashable, Sendable, Comparable {
    /// As the person named it, or relative to the configuration file.
    var file: String
    /// From 1; 0 when the whole file is meant.
    var line: Int
    /// From 1, in characters; 0 when the whole line is meant.
    var column: Int

    static func < (left: SourcePlace, right: SourcePlace) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}

/// One thing that is wrong with the configuration, said so that it can be mended without reading documentation.
struct ConfigurationProblem: Error, Hashable, Sendable, CustomStringConvertible {
    var place: SourcePlace
    /// The key's path (`tenants[0].services.mail`) or the column of a CSV file; empty when the file as a whole is
    /// meant.
    var key: String
    /// What is wrong.
    var message: String
    /// How to mend it.
    var remedy: String

    /// `ferry.yaml:12:5: tenants[0].id: what is wrong. How to mend it.`, as compilers and editors know it.
    var description: String {
        var text = place.file
        if place.line > 0 { text += ":\(place.line)" }
        if place.line > 0, place.column > 0 { text += ":\(place.column)" }
        text += ": "
        if !key.isEmpty { text += "\(key): " }
        return text + message + (remedy.isEmpty ? "" : " " + remedy)
    }
}

/// Everything that is wrong with a configuration, at once, in the order of the files. Never empty.
struct ConfigurationFailure: Error, CustomStringConvertible {
    var problems: [ConfigurationProblem]

    var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

/// Collects problems while reading goes on, so that one run finds them all.
final class ProblemList {
    private(set) var problems: [ConfigurationProblem] = []

    func report(_ message: String, remedy: String, at place: SourcePlace, key: String) {
        let problem = ConfigurationProblem(place: place, key: key, message: message, remedy: remedy)
        if !problems.contains(problem) { problems.append(problem) }
    }

    /// Throws if anything was reported. The main file's problems come first, then the other files by name.
    func throwIfAny(mainFile: String) throws(ConfigurationFailure) {
        guard !problems.isEmpty else { return }
        let sorted = problems.enumerated().sorted { left, right in
            let (one, two) = (left.element.place, right.element.place)
            if (one.file == mainFile) != (two.file == mainFile) { return one.file == mainFile }
            return one == two ? left.offset < right.offset : one < two
        }
        throw ConfigurationFailure(problems: sorted.map(\.element))
    }
}
