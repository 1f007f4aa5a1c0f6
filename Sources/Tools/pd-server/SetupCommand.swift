import ArgumentParser
import Foundation
import PDCrypto
import PDFiles
import PDFleet
import PDServerToolSupport
import PDToolSupport

struct SetupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup",
        abstract: "Make keys, settings and the kit that agents join with.",
        discussion: "What is there already is kept: running it again repairs and destroys nothing.")

    @OptionGroup var stateOptions: StateOptions

    @Flag(help: "Ask nothing: take the flags and the defaults.")
    var yes = false

    @Option(help: ArgumentHelp("The TCP port on which agents deliver.", valueName: "number"))
    var port: Int?

    @Option(
        help: ArgumentHelp(
            "The URL at which agents reach the server; with https it gets a certificate. Without a URL the server serves this machine alone.",
            valueName: "url"))
    var url: String?

    @Option(
        help: ArgumentHelp(
            "The certificate chain for an https URL, PEM. Else one is made that vouches for itself.",
            valueName: "file"))
    var certificate: String?

    @Option(
        help: ArgumentHelp("The certificate's private key, PEM, without a passphrase.", valueName: "file"))
    var key: String?

    @Flag(help: "Serve plain HTTP although the URL says https: a proxy in front of the server does TLS.")
    var behindProxy = false

    @Flag(
        inversion: .prefixedNo,
        help: "Make a system user and systemd units too. Done where root sets up the installed server.")
    var system: Bool?

    @Option(
        help: ArgumentHelp(
            "Install into this directory instead of the machine, for packages: makes no user, starts nothing.",
            valueName: "dir"))
    var root: String?

    @Option(
        help: ArgumentHelp(
            "Where the units find pd-server and pd-admin. Else where this program is; with --root, /usr/bin.",
            valueName: "dir"))
    var programs: String?

    @Option(
        help: ArgumentHelp(
            "Take over an installation of the original PenguinDome, which stays as it is: settings, keys, database, releases.",
            valueName: "dir"))
    var fromOriginal: String?

    func validate() throws {
        guard fromOriginal == nil || port == nil && url == nil else {
            throw ValidationError("--from-original brings port and URL: leave --port and --url out")
        }

        guard root == nil || stateOptions.settingsFile == nil else {
            throw ValidationError("--root has its settings in the state directory: leave out --config")
        }
        guard root != "" else { throw ValidationError("--root needs a directory") }
    }

    func run() async throws {
        do {
            try await setUp()
        } catch {
            throw ToolFailure(explaining: error)
        }
    }

    private func setUp() async throws {
        let directory = stateOptions.directory(installed: PDServerTool.installedState)
        let installed = directory.path == PDServerTool.installedState
        let isSystem = system ?? (root != nil || installed && geteuid() == 0)
        guard !isSystem || stateOptions.settingsFile == nil else {
            throw ToolFailure(
                .usage,
                "the units use the settings in the state directory: leave --config and PENGUINDOME_CONFIG out, or add --no-system"
            )
        }
        if isSystem { try checkForUnits(directory.path, "--state") }
        let machine = SystemSetup(
            root: root.map { URL(filePath: $0, directoryHint: .isDirectory) },
            programs: try programsDirectory(),
            state: directory.path)
        let state = ServerState(
            directory: root == nil ? directory : machine.located(directory.path),
            settingsFile: stateOptions.settingsFile)
        guard yes || isatty(STDIN_FILENO) == 1 else {
            throw ToolFailure(
                .usage, "there is no terminal to ask on: use --yes, with --port and --url as needed")
        }
        guard (certificate == nil) == (key == nil) else {
            throw ToolFailure(.usage, "--certificate and --key belong together")
        }
        let given = try url.map(checked)
        guard certificate == nil || given?.hasPrefix("https:") == true && !behindProxy else {
            throw ToolFailure(.usage, "--certificate is for a --url that begins with https")
        }
        var answers = ServerSetup.Answers(port: try checked(port: port ?? Self.port(of: given)), url: given)
        answers.isBehindProxy = behindProxy
        if let certificate, let key {
            answers.certificate = (URL(filePath: certificate), URL(filePath: key))
        }
        // Before anything is done as the state's owner, who need not be able to read it.
        let original = try fromOriginal.map {
            try OriginalInstallation(URL(filePath: $0, directoryHint: .isDirectory))
        }
        let isNew = !FileManager.default.fileExists(atPath: state.settingsFile.path)
        if !yes && isNew && original == nil {
            let none = "this machine alone"
            answers.url = try ask("URL at which agents reach this server", default: answers.url ?? none) {
                text throws(ToolFailure) in text == none ? nil : try checked(url: text)
            }
            if port == nil { answers.port = Self.port(of: answers.url) }
            answers.port = try ask("TCP port", default: "\(answers.port)") { text throws(ToolFailure) in
                guard let port = Int(text) else { throw ToolFailure(.usage, "\(text) is not a port number") }
                return try checked(port: port)
            }
        }
        var steps = isSystem ? try machine.prepare() : []
        let place = try OwnedDirectory.making(state.directory.path)
        // What came back from a backup as root's: its owner has to read it.
        try place.adoptContents(lent: ["server.yml"])
        let (made, settings) = try await place.perform { () async throws in
            if !isNew && (port != nil || url != nil) { try explainIgnored(state) }
            let taken = try original?.takeOver(into: state) ?? []
            let made = taken + (try ServerSetup(state: state, answers: answers, now: .now()).run())
            do {
                let fleet = try await Fleet.open(for: state, makingStore: true)
                try await fleet.store.close()
                return (made, fleet.settings)
            } catch let failure as ToolFailure where failure.code == .unreachable && original != nil {
                // It is the original's, and need not run now: the server waits for it.
                ToolFailure.warn("pd-server: \(failure.description)")
                return (made, try SettingsFile(state.settingsFile).settings())
            }
        }
        steps += made
        if isSystem { steps += try machine.installUnits(for: settings) }
        warnOfOpenDirectory(state.directory)
        let contradictions = try place.perform { try AgentKit(state).contradictions(with: settings) }
        for step in steps { print(step.wasThere ? "kept" : "made", step.what) }
        for line in contradictions { ToolFailure.warn("pd-server: note: \(line)") }
        for note in original?.notes ?? [] { print("note:", note) }
        if isSystem {
            print("Start it with: systemctl enable --now penguindome-server penguindome-audit.timer")
        } else {
            print("Start it with: pd-server serve --state \(state.directory.path)")
        }
    }

    /// The port that agents use who have that URL, so that both agree unless somebody says otherwise.
    private static func port(of url: String?) -> Int { url.flatMap { AgentKit.Address($0) }?.port ?? 8080 }

    /// Where the units are to find the programs.
    private func programsDirectory() throws -> String {
        if let programs {
            try checkForUnits(programs, "--programs")
            return programs
        }
        if root != nil { return "/usr/bin" }
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: executable).deletingLastPathComponent().path
    }

    /// Units have a language of their own, see systemd.unit(5) and systemd.service(5).
    private func checkForUnits(_ path: String, _ option: String) throws(ToolFailure) {
        let special = "%\"'\\$;*?["
        guard path.hasPrefix("/"), !path.contains(where: { $0.isWhitespace || special.contains($0) }) else {
            throw ToolFailure(.usage, "\(option) must be an absolute path without blanks and \(special)")
        }
    }

    /// Says so where the flags ask for something else than the settings that are kept.
    private func explainIgnored(_ state: ServerState) throws {
        let text = String(decoding: try PrivateFiles.read(state.settingsFile), as: UTF8.self)
        let settings = try ServerSettings(yaml: text, file: state.settingsFile.path)
        // Without the kit's settings the URL is needed for them.
        let kit = state.agentKit.appending(path: "agent.yml")
        let isIgnored = url != nil && FileManager.default.fileExists(atPath: kit.path)
        guard isIgnored || port.map({ settings.ports.map(\.number) != [$0] }) == true else { return }
        let note =
            "pd-server: --port and --url have no effect on a server that is set up: "
            + "edit \(state.settingsFile.path) and agent-kit/agent.yml beside it\n"
        FileHandle.standardError.write(Data(note.utf8))
    }

    /// A directory that was there keeps its mode: that others may write there is for its owner to know.
    private func warnOfOpenDirectory(_ directory: URL) {
        var info = stat()
        guard stat(directory.path, &info) == 0, info.st_mode & 0o022 != 0 else { return }
        let note =
            "pd-server: others than its owner may write in \(directory.path): chmod go-w \(directory.path)\n"
        FileHandle.standardError.write(Data(note.utf8))
    }

    private func checked(port: Int) throws(ToolFailure) -> Int {
        guard (1...65_535).contains(port) else {
            throw ToolFailure(.usage, "\(port) is not a port from 1 to 65535")
        }
        return port
    }

    private func checked(url text: String) throws(ToolFailure) -> String {
        let components = URLComponents(string: text)
        guard let components, ["http", "https"].contains(components.scheme ?? ""),
            !(components.host ?? "").isEmpty,
            components.query == nil, components.fragment == nil, components.user == nil,
            (1...65_535).contains(components.port ?? 1)
        else { throw ToolFailure(.usage, "\(text) is not a URL such as https://mdm.example.com:8443") }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    /// Asks until the answer is one.
    private func ask<Answer>(
        _ question: String, default suggestion: String, _ read: (String) throws(ToolFailure) -> Answer
    ) throws(ToolFailure) -> Answer {
        while true {
            print("\(question) [\(suggestion)]: ", terminator: "")
            fflush(nil)
            guard let line = readLine() else {
                throw ToolFailure(.usage, "the input ended before the last answer")
            }
            let text = line.trimmingCharacters(in: .whitespaces)
            do {
                return try read(text.isEmpty ? suggestion : text)
            } catch {
                print(error.description)
            }
        }
    }
}
