import ArgumentParser

/// The file that says who and what there is.
struct ConfigurationOption: ParsableArguments {
    @Option(help: "The configuration; `ferry init` writes one.")
    var config = "ferry.yaml"

    func load() throws(ConfigurationFailure) -> Configuration { try ConfigurationFile.load(config) }
}
