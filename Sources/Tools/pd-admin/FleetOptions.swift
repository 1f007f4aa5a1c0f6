import ArgumentParser
import Foundation
import PDBasics
import PDDocument
import PDFleet
import PDServerToolSupport
import PDToolSupport

/// What every command of this tool takes.
struct FleetOptions: ParsableArguments {
    @OptionGroup var stateOptions: StateOptions

    @Flag(help: "Write JSON instead of a table.")
    var json = false

    var state: ServerState {
        ServerState(
            directory: stateOptions.directory(installed: "/var/lib/penguindome/server"),
            settingsFile: stateOptions.settingsFile)
    }

    /// Opens the fleet, lends it, and closes it again.
    func withFleet<Result>(_ body: (Fleet) async throws -> Result) async throws -> Result {
        let fleet = try await Fleet.open(for: state)
        do {
            let result = try await body(fleet)
            try await fleet.store.close()
            return result
        } catch {
            // The first error is the one to tell; a database that then cannot be closed adds nothing to it.
            try? await fleet.store.close()
            throw ToolFailure(explaining: error)
        }
    }

    /// Prints the rows as a JSON array, or what `table` makes of them.
    func show(_ rows: [Document], table: () -> String) {
        if json {
            print(Value.array(rows.map(Value.document)).json(pretty: true))
        } else {
            print(table())
        }
    }
}

/// A point in time for people.
func readable(_ milliseconds: Int64) -> String { Moment(milliseconds: milliseconds).readable }
