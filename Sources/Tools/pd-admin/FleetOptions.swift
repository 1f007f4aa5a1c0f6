import ArgumentParser
import Foundation
import PDBasics
import PDDocument
import PDFiles
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
            directory: stateOptions.directory(installed: StateOptions.installedServer),
            settingsFile: stateOptions.settingsFile)
    }

    /// The state directory, below which root works as its owner.
    func place() throws(ToolFailure) -> OwnedDirectory {
        do {
            let place = try OwnedDirectory(state.directory.path)
            try place.perform { try state.finishInterruptedRestoration() }
            return place
        } catch let error as FileError where error.isAbsence {
            throw absent
        } catch { throw ToolFailure(.failed, "\(error)") }
    }

    /// That there is no server.
    var absent: ToolFailure {
        ToolFailure(.failed, "there is no server in \(state.directory.path): name another with --state")
    }

    /// Does something below the state directory as its owner.
    func asOwner<Result>(_ body: () throws -> Result) throws -> Result { try place().perform(body) }

    /// Opens the fleet as the owner of its state, lends it, and closes it again.
    ///
    /// - Parameter isStrict: whether a mistake anywhere in the settings is an error; else it is told, unless it is about
    ///   the database.
    func withFleet<Result>(
        isStrict: Bool = false, _ body: (Fleet) async throws -> Result
    ) async throws -> Result {
        try await place().perform { () async throws -> Result in
            let fleet = try await Fleet.open(for: state, isStrict: isStrict)
            for problem in fleet.settings.problems {
                ToolFailure.warn("note: the server would not start: \(problem)")
            }
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
