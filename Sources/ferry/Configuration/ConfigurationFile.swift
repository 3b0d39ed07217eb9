/// Reads and checks the configuration before anything runs.
enum ConfigurationFile {
    /// Blocking; called once at the start, before there is anything to hold up.
    static func load(_ path: String) throws(ConfigurationFailure) -> Configuration {
        let reader = ConfigurationReader(file: path) { path in
            do throws(SystemFailure) {
                return try LocalFile.contents(of: path)
            } catch {
                // The problem names the path already.
                throw SystemFailure(error.number)
            }
        }
        return try reader.read()
    }
}
