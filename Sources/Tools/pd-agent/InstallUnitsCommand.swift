import ArgumentParser
import PDBasics
import PDClient
import PDFiles
import PDToolSupport

struct InstallUnitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install-units",
        abstract: "Have systemd start the agent: write a timer, and the update and the cycle that it begins.",
        discussion: """
            What is there already as it should be is left alone. The timer is not started: \
            systemctl enable --now \(AgentUnits.timer)
            """)

    @Option(
        help: ArgumentHelp(
            "Install into this directory instead of the machine, for packages: starts nothing.",
            valueName: "dir"))
    var root: String?

    @Option(
        help: ArgumentHelp(
            "Where the units find pd-agent. Else where this program is; with --root, /usr/bin.",
            valueName: "dir"))
    var programs: String?

    @Flag(help: "For cron, where there is no systemd: write /etc/cron.d/penguindome-agent.")
    var cron = false

    @OptionGroup var options: Options

    func validate() throws {
        guard options.stateOptions.settingsPath == nil else {
            throw ValidationError("the units have their settings in the state directory: leave out --config")
        }
    }

    func run() throws {
        let own = Files.realPath("/proc/self/exe").flatMap { path in
            path.lastIndex(of: "/").map { String(path[..<$0]) }
        }
        let programs = programs ?? (root == nil ? own : nil) ?? "/usr/bin"
        let state = options.directory.path
        guard let units = AgentUnits(programs: programs, state: state) else {
            throw ToolFailure(
                .usage,
                "\(programs.printable) and \(state.printable) must be absolute, and of letters, digits and -._+@:, alone"
            )
        }
        let folder =
            cron
            ? "\(root ?? "")/etc/cron.d"
            : root.map { "\($0)/usr/lib/systemd/system" } ?? "/etc/systemd/system"
        try Files.makeDirectories(folder, mode: 0o755)
        for (name, text) in cron ? [("penguindome-agent", units.cron)] : units.files {
            let file = "\(folder)/\(name)"
            // One that cannot be read is written anew, or that fails.
            if let found = try? Files.read(file), found == Array(text.utf8) {
                print("kept", file)
                continue
            }
            try Files.writeAtomically(Array(text.utf8), to: file, mode: 0o644)
            print("made", file)
        }
        guard root == nil, !cron else { return }
        if Files.exists("/run/systemd/system") {
            let reload = try Machine.this().run("systemctl", "daemon-reload")
            guard reload.returncode == 0 else {
                throw ToolFailure(.failed, "systemctl daemon-reload ended with \(reload.returncode)")
            }
        }
        print("Start it with: systemctl enable --now \(AgentUnits.timer)")
    }
}
