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

    @Flag(help: "Write a list as comma-separated values (RFC 4180).")
    var csv = false

    @Flag(help: "Cut nothing in tables, however narrow the terminal is.")
    var wide = false

    func validate() throws {
        guard !json || !csv else { throw ValidationError("--json and --csv are two forms: name one") }
    }

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

    /// Prints the rows as a JSON array, as comma-separated values, or what `table` makes of them.
    func show(_ rows: [Document], table: () -> String) {
        if json {
            print(Value.array(rows.map(Value.document)).json(pretty: true))
        } else if csv {
            print(Self.csv(rows), terminator: "")
        } else {
            print(Table.$width.withValue(wide ? nil : Table.terminalWidth) { table() })
        }
    }

    /// The rows under the names of all their members.
    private static func csv(_ rows: [Document]) -> String {
        var names: [String] = []
        for row in rows { for (name, _) in row where !names.contains(name) { names.append(name) } }
        func text(_ value: Value?) -> String {
            switch value {
            case nil, .null: ""
            case .string(let text): text
            case .date(let milliseconds): Timestamp.text(milliseconds: milliseconds)
            case .array(let values) where values.allSatisfy({ $0.string != nil }):
                values.compactMap(\.string).joined(separator: " ")
            case let value?: value.json()
            }
        }
        guard !names.isEmpty else { return "" }
        return ([names] + rows.map { row in names.map { text(row[$0]) } }).map { CSV.line($0) }.joined()
    }
}

/// A point in time for people.
func readable(_ milliseconds: Int64) -> String { Moment(milliseconds: milliseconds).readable }
