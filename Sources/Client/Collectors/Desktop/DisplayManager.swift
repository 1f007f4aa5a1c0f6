/// The program that lets people log in to a desktop.
enum DisplayManager: String, Sendable, CaseIterable {
    case gdm, lightdm, sddm, plasmalogin, greetd, ly, lxdm, xdm, slim

    /// The one that the system starts; nothing where it starts none.
    ///
    /// - Returns: its name, and whether it is known here.
    static func current(_ machine: Machine) -> (name: String, known: DisplayManager?)? {
        let said =
            machine.linkTarget("/etc/systemd/system/display-manager.service")
            ?? machine.linkTarget("/run/systemd/generator/display-manager.service")
            ?? machine.attribute("/etc/X11/default-display-manager")
        guard var name = said?.split(separator: "/").last.map(String.init), !name.isEmpty else { return nil }
        if name.hasSuffix(".service") { name = String(name.dropLast(8)) }
        if name == "gdm3" { name = "gdm" }
        return (name, DisplayManager(rawValue: name))
    }

    /// Its settings, each layer over the ones before it, and the files that they were read from.
    func settings(_ machine: Machine) throws -> (file: IniFile, read: [String]) {
        switch self {
        case .gdm:
            try IniFile.layers(
                ["/etc/gdm/custom.conf", "/etc/gdm3/custom.conf", "/etc/gdm3/daemon.conf"], machine)
        case .lightdm:
            try IniFile.layers(
                [
                    "/usr/share/lightdm/lightdm.conf.d/", "/etc/xdg/lightdm/lightdm.conf.d/",
                    "/etc/lightdm/lightdm.conf.d/", "/etc/lightdm/lightdm.conf",
                ], machine)
        case .sddm:
            try IniFile.layers(
                ["/usr/lib/sddm/sddm.conf.d/", "/etc/sddm.conf.d/", "/etc/sddm.conf"], machine)
        case .plasmalogin:
            try IniFile.layers(
                [
                    "/usr/lib/plasmalogin/defaults.conf", "/usr/lib/plasmalogin.conf.d/",
                    "/etc/plasmalogin.conf.d/", "/etc/plasmalogin.conf",
                ],
                machine)
        case .greetd: try IniFile.layers(["/etc/greetd/config.toml"], machine)
        case .ly: try IniFile.layers(["/etc/ly/config.ini"], machine)
        case .lxdm: try IniFile.layers(["/etc/lxdm/lxdm.conf"], machine)
        case .slim: try IniFile.layers(["/etc/slim.conf"], machine)
        case .xdm: (IniFile(), [])
        }
    }
}
