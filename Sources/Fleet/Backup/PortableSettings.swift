import Foundation
import PDSettings

/// The settings of a server as they go into a backup: files that they name by an absolute path, or that lie elsewhere, are
/// named as they will lie in the state directory of whichever machine it is restored on.
struct PortableSettings {
    /// The text.
    let yaml: String
    /// Files from outside of the state, under the paths that they get in it.
    let foreignFiles: [(path: String, file: URL)]

    /// - Parameters:
    ///   - state: whose settings.
    ///   - settings: what was read of them.
    init(_ state: ServerState, _ settings: ServerSettings) throws {
        var editor = SettingsEditor(
            yaml: String(decoding: try PrivateFiles.read(state.settingsFile), as: UTF8.self),
            file: state.settingsFile.path)
        let root = state.directory.standardizedFileURL.path + "/"
        var foreign: [(path: String, file: URL)] = []
        for place in try Self.places(in: editor) {
            guard let text = try editor.value(place)?.text, !text.isEmpty else { continue }
            let file = URL(filePath: text, relativeTo: state.settingsFile).standardizedFileURL
            let path: String
            if file.path.hasPrefix(root) {
                path = String(file.path.dropFirst(root.count))
            } else if let known = foreign.first(where: { $0.file == file }) {
                path = known.path
            } else {
                path = "tls/" + Self.freeName(file.lastPathComponent, state, foreign)
                foreign.append((path, file))
            }
            if path != text { try editor.set(place, to: .text(path)) }
        }
        // The database comes back as a file of the state; one that is named wins over version 1's names beside it.
        if settings.database.file != nil {
            try editor.set(["database", "file"], to: .text(state.database.lastPathComponent))
        }
        yaml = editor.yaml
        foreignFiles = foreign
    }

    /// Where settings name files that a server needs.
    private static func places(in editor: SettingsEditor) throws -> [[String]] {
        let ports = try editor.value(["port"])?.entries?.map(\.name) ?? []
        return ([["ssl"]] + ports.map { ["port", $0, "ssl"] }).flatMap {
            [$0 + ["certificate"], $0 + ["key"]]
        }
            + [["alerts", "smtp", "password_file"]]
    }

    private static func freeName(
        _ name: String, _ state: ServerState, _ taken: [(path: String, file: URL)]
    ) -> String {
        let names = (0...).lazy.map { $0 == 0 ? name : "\($0)-\(name)" }
        return names.first { name in
            !taken.contains { $0.path == "tls/\(name)" }
                && !FileManager.default.fileExists(
                    atPath: state.directory.appending(path: "tls/\(name)").path)
        } ?? name
    }
}
