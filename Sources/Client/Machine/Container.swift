/// Whether we are inside a container, whose disks and rules are the host's.
enum Container {
    /// What kind of container this is; nothing outside of one.
    static func kind(_ machine: Machine) -> String? {
        if let name = machine.attribute("/run/systemd/container"), !name.isEmpty { return name }
        // Virtual machines and laptops made from container images have these files too, but a root file system of their own.
        let root = MountTable((try? machine.text("/proc/self/mountinfo")) ?? "").mount(holding: "/")
        guard root.map(isLent) ?? true else { return nil }
        if machine.exists("/run/.containerenv") { return "podman" }
        if machine.exists("/.dockerenv") { return "docker" }
        return nil
    }

    /// Whether a root file system is one that a container engine makes: layers, or a part of the host's.
    private static func isLent(_ root: MountTable.Mount) -> Bool {
        switch root.type {
        case "overlay", "aufs", "fuse.fuse-overlayfs": true
        default:
            ["docker", "containers", "podman"].contains {
                root.root.contains("/\($0)/") || root.source.contains("/\($0)/")
            }
        }
    }
}
