import ArgumentParser

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write a commented configuration with two folder tenants to begin with.",
        discussion: """
            Makes the folder if it is not there; refuses to touch one that is not empty.

            Example: ferry init try-ferry && ferry check --config try-ferry/ferry.yaml

            \(ExitReason.help)
            """)

    @Argument(help: "The folder to make.")
    var folder: String

    func run() async throws {
        if let names = try LocalFile.names(in: folder), let first = names.first {
            throw Complaint(
                "\(folder) is not empty: it has \(first.quoted). Name a new folder, or an empty one.", status: .refused)
        }
        let writer = DemoWriter(root: folder)
        for file in InitFiles(now: SystemEffects.now()).files { try writer.write(file) }
        _ = try ManifestKeyFile.open("\(folder)/manifest.key")
        let output = Terminal.output
        output.print("Wrote \(folder)/ferry.yaml and two tenants, Contoso and Fabrikam. Next:")
        output.print("  ferry check --config \(folder)/ferry.yaml")
        output.print("  ferry serve --config \(folder)/ferry.yaml")
        output.print(
            "  export FERRY_TOKEN=$(ferry token --config \(folder)/ferry.yaml --tenant 22222222-2222-2222-2222-222222222222 "
                + "--user admin@fabrikam.example)")
        output.print(
            "  ferry job create --name first --source 11111111-1111-1111-1111-111111111111 --endpoint EXOHandler "
                + "--delivery-domain fabrikam.example --date +1m "
                + InitFiles.targetIDs.map { "--user \($0)" }.joined(separator: " "))
    }
}
