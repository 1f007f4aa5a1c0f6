/// Whether we are inside a container, whose disks and rules are the host's.
enum Container {
    /// What kind of container this is; nothing outside of one.
    static func kind(_ machine: Machine) -> String? {
        if let name = machine.attribute("/run/systemd/container"), !name.isEmpty { return name }
        // Virtual machines made from container images have these files too, but a root file system on a device.
        let mounts = MountTable((try? machine.text("/proc/self/mountinfo")) ?? "")
        guard mounts.mount(holding: "/")?.number.hasPrefix("0:") != false else { return nil }
        if machine.exists("/run/.containerenv") { return "podman" }
        if machine.exists("/.dockerenv") { return "docker" }
        return nil
    }
}
