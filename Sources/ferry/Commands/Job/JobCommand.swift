import ArgumentParser

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Work with migration jobs through the API.",
        discussion: """
            Every verb speaks to a server with the crossTenantMigrationJobs API. The server and the token come from \
            --server and --token, or from FERRY_SERVER and FERRY_TOKEN.

            A job in its life:
              ferry job create --name wave-1 --source 11111111-1111-1111-1111-111111111111 --endpoint EXOHandler \\
                --delivery-domain fabrikam.example --date +14d --users-file wave-1.txt
              ferry job validate wave-1 --wait
              ferry job migrate wave-1
              ferry job watch wave-1
              ferry job report wave-1 --format html --output wave-1.html
              ferry job manifest wave-1 --output wave-1.jsonl

            \(ExitReason.help)
            """,
        subcommands: [
            CreateJob.self, ListJobs.self, ShowJob.self, ListJobUsers.self, ValidateJob.self, MigrateJob.self,
            RescheduleJob.self, ApproveJob.self, CancelJob.self, DeleteJob.self, WatchJob.self, ReportJob.self,
            ManifestJob.self, ReverseJob.self,
        ])
}
