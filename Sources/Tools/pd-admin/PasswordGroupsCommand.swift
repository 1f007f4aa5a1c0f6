import ArgumentParser
import PDBasics
import PDDocument
import PDFleet
import PDToolSupport

struct PasswordGroupsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups", abstract: "Groups of users, to whom server_auth:ENDPOINT:groups admits.",
        subcommands: [List.self, Set.self, Remove.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All groups with their users.")

        @OptionGroup var options: FleetOptions

        func run() throws {
            let groups = try options.settingsFile().groups()
            options.show(
                groups.map { ["group": .string($0.name), "users": .array($0.users.map(Value.string))] }
            ) {
                guard !groups.isEmpty else { return "There is no group." }
                var table = Table("GROUP", "USERS")
                for group in groups { table.add(group.name, group.users.joined(separator: " ")) }
                return table.text
            }
        }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a group of users, in place of those that it has.",
            discussion: "Each must have a password of the server: see pd-admin passwords set.")

        @OptionGroup var options: FleetOptions

        @Argument(help: "The group.")
        var group: String

        @Argument(help: "Its users.")
        var users: [String]

        func run() throws {
            try options.changeSettings { settings in
                let known = try settings.users(in: .server)
                for user in users where !known.contains(user) {
                    throw ToolFailure(
                        .failed,
                        "\(user.printable) has no password of the server: set one with pd-admin passwords set"
                    )
                }
                try settings.setGroup(group, to: users)
            }
            print("the group \(group.printable) is set; start the server again to use it")
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a group away; its users stay.")

        @OptionGroup var options: FleetOptions

        @Argument(help: "The group.")
        var group: String

        func run() throws {
            try options.changeSettings { settings in
                guard try settings.groups().contains(where: { $0.name == group }) else {
                    throw ToolFailure(
                        .failed,
                        "there is no group \(group.printable): see pd-admin passwords groups list")
                }
                try settings.removeGroup(group)
            }
            print("the group \(group.printable) is gone; start the server again")
        }
    }
}
