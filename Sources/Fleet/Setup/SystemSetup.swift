import Foundation
import PDFiles

/// Makes the machine ready for a server: its user, its state directory, its units. What is there already as it should be
/// is left alone, so that running it again repairs and never destroys.
package struct SystemSetup {
    /// The user that a server runs as.
    package static let user = "penguindome"

    private let root: URL?
    private let programs: String
    private let state: String

    /// - Parameters:
    ///   - root: a directory to install into instead of this machine, for packages; then no user is made, only the files
    ///     that tell systemd-sysusers(8) to make it and systemd-tmpfiles(8) to give it the state.
    ///   - programs: the directory of the programs on the machine that will run them.
    ///   - state: the state directory there.
    package init(root: URL?, programs: String, state: String) {
        self.root = root
        self.programs = programs
        self.state = state
    }

    /// A path of the machine, inside the root.
    package func located(_ path: String) -> URL {
        guard let root else { return URL(filePath: path) }
        return root.appending(path: String(path.drop { $0 == "/" }))
    }

    /// Makes what is missing above a directory, so that the server's user can reach it. What is there keeps its mode.
    static func makeParents(of directory: URL) throws(StateError) {
        let parent = directory.deletingLastPathComponent()
        guard !FileManager.default.fileExists(atPath: parent.path), parent.path != directory.path else {
            return
        }
        try makeParents(of: parent)
        // Not by the mode of mkdir(2) alone: the umask may be a strict one.
        guard mkdir(parent.path, 0o755) == 0, chmod(parent.path, 0o755) == 0 else {
            throw StateError("cannot make \(parent.path): \(systemMessage(errno))")
        }
    }

    /// Makes the user and the state directory, which belongs to it.
    package func prepare() throws -> [ServerSetup.Step] {
        var steps: [ServerSetup.Step] = []
        let directory = located(state)
        if root == nil {
            let isKnown = getpwnam(Self.user) != nil
            if !isKnown {
                try Self.run(
                    "/usr/sbin/useradd",
                    "--system", "--user-group", "--no-create-home", "--home-dir", state, "--shell",
                    "/usr/sbin/nologin", Self.user)
            }
            steps.append(.init(what: "user \(Self.user)", wasThere: isKnown))
        } else {
            let text = "u \(Self.user) - \"PenguinDome server\" \(state) -\n"
            steps.append(try place("/usr/lib/sysusers.d/penguindome.conf", text))
            // The user exists only on the machine that the files come to: there the state becomes its own.
            let owner = "Z \(state) - \(Self.user) \(Self.user) -\n"
            steps.append(try place("/usr/lib/tmpfiles.d/penguindome.conf", owner))
        }
        let wasThere = FileManager.default.fileExists(atPath: directory.path)
        try OwnedDirectory.above(directory.path).perform { try Self.makeParents(of: directory) }
        let made = try OwnedDirectory.making(directory.path)
        if root == nil {
            guard let entry = getpwnam(Self.user) else { throw StateError("there is no user \(Self.user)") }
            try made.give(to: FileOwner(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid))
        }
        steps.append(.init(what: "state directory \(directory.path)", wasThere: wasThere))
        return steps
    }

    /// Puts the units in place, and lets systemd read them where it runs.
    ///
    /// - Parameter settings: decide whether the server may open low ports.
    package func installUnits(for settings: ServerSettings) throws -> [ServerSetup.Step] {
        let units = SystemdUnits(
            user: Self.user, programs: programs, state: state,
            needsLowPort: (settings.ports.map(\.number) + [settings.localPort ?? 0])
                .contains { (1..<1024).contains($0) })
        let folder = root == nil ? "/etc/systemd/system" : "/usr/lib/systemd/system"
        let steps = try units.files.map { try place("\(folder)/\($0.name)", $0.text) }
        if root == nil, FileManager.default.fileExists(atPath: "/run/systemd/system") {
            try Self.run("/usr/bin/systemctl", "daemon-reload")
        }
        return steps
    }

    /// Writes a file that everybody may read, where it says something else.
    private func place(_ path: String, _ text: String) throws -> ServerSetup.Step {
        let file = located(path)
        let step = { ServerSetup.Step(what: file.path, wasThere: $0) }
        if let found = try? PrivateFiles.read(file), found == Array(text.utf8) { return step(true) }
        do {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o755])
        } catch {
            throw StateError("cannot make the directory of \(file.path)")
        }
        try PrivateFiles.write(Array(text.utf8), to: file, mode: 0o644)
        return step(false)
    }

    private static func run(_ program: String, _ arguments: String...) throws(StateError) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw StateError("cannot run \(program)")
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw StateError("\(program) ended with \(process.terminationStatus)")
        }
    }
}
