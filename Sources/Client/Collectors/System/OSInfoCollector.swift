import PDDocument

/// `os_info`: which operating system this is (os-release(5)) and which kernel runs.
struct OSInfoCollector: Collector {
    let name = "os_info"

    /// Fields of os-release and the names under which they are reported.
    private static let fields = [
        ("PRETTY_NAME", "pretty_name"), ("VERSION_CODENAME", "codename"), ("ID_LIKE", "id_like"),
        ("VARIANT_ID", "variant"), ("BUILD_ID", "build"), ("SUPPORT_END", "support_end"),
    ]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        let release = try OSRelease.read(machine)
        var result = DocumentWriter()
        // The defaults are those of os-release(5).
        result.append("id", .string(release.id))
        // Under this name queries of older fleets ask for it.
        result.append("distname", .string(release.id))
        result.append("name", .string(release.fields["NAME"] ?? "Linux"))
        // A rolling distribution has no version.
        result.append("version", release.fields["VERSION_ID"].map(Value.string) ?? .null)
        for (field, name) in Self.fields { result.append(name, ifPresent: release.fields[field]) }
        result.append("kernel", .string(machine.kernel.release))
        result.append("architecture", .string(machine.kernel.architecture))
        result.append("container", ifPresent: Container.kind(machine))
        return .document(result.finish())
    }
}
