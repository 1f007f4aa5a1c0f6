/// What is to be known of a program that protects the machine, to see whether it is installed, runs and is fresh.
struct SecurityProduct: Sendable {
    /// The name under which it is reported.
    let name: String
    /// Paths of which one is there where it is installed.
    let installed: [String]
    /// Programs of which one runs where it runs.
    let programs: [String]
    /// Files or directories whose newest change is that of what it knows; none where that cannot be told so.
    let freshness: [String]
    /// A command that knows more, and how its output is read.
    let question: Question?

    /// A command that asks a product about itself.
    struct Question: Sendable {
        let arguments: [String]
        /// The field that says whether it is well, and what it then says.
        let healthy: (field: String, value: String)?
        /// The field that says whether what it knows is new, and what it then says.
        let fresh: (field: String, value: String)?
    }

    init(
        _ name: String, installed: [String], programs: [String], freshness: [String] = [],
        question: Question? = nil
    ) {
        self.name = name
        self.installed = installed
        self.programs = programs
        self.freshness = freshness
        self.question = question
    }

    /// ESET's antivirus for Linux, old (`/opt/eset/esets`) and new (`eea`).
    static let eset = SecurityProduct(
        "eset", installed: ["/opt/eset/eea", "/opt/eset/esets", "/opt/eset/efs"],
        programs: ["esets_daemon", "startd", "odfeeder", "oaeventd"],
        freshness: ["/var/opt/eset/eea/lib", "/var/opt/eset/esets/lib", "/var/opt/eset/efs/lib"])
    /// ESET's agent for remote administration.
    static let eraagent = SecurityProduct(
        "eraagent", installed: ["/opt/eset/RemoteAdministrator/Agent"], programs: ["ERAAgent"])
    /// Prey, which finds stolen machines.
    static let prey = SecurityProduct(
        "prey", installed: ["/usr/lib/prey", "/opt/prey", "/etc/prey"],
        programs: ["prey", "prx", "prey-agent"])

    /// Those that `antivirus` lists.
    static let antivirus: [SecurityProduct] = [
        SecurityProduct(
            "clamav", installed: ["/usr/bin/clamscan", "/usr/sbin/clamd", "/usr/bin/clamd"],
            programs: ["clamd", "clamonacc"],
            freshness: ["/var/lib/clamav/daily.cld", "/var/lib/clamav/daily.cvd"]),
        SecurityProduct(
            "crowdstrike", installed: ["/opt/CrowdStrike/falconctl"],
            programs: ["falcon-sensor", "falcon-sensor-bpf"],
            question: Question(
                arguments: ["/opt/CrowdStrike/falconctl", "-g", "--rfm-state"],
                healthy: ("rfm-state", "false"),
                fresh: nil)),
        SecurityProduct(
            "defender", installed: ["/opt/microsoft/mdatp"], programs: ["wdavdaemon"],
            question: Question(
                arguments: ["mdatp", "health", "--output", "json"], healthy: ("healthy", "true"),
                fresh: ("definitionsStatus", "upToDate"))),
        SecurityProduct(
            "sentinelone", installed: ["/opt/sentinelone/bin/sentinelctl"],
            programs: ["s1-agent", "s1-orchestrator", "sentinelone-agent"]),
        SecurityProduct(
            "sophos", installed: ["/opt/sophos-spl"], programs: ["sophos_managementagent", "mcsrouter"]),
        SecurityProduct("wazuh", installed: ["/var/ossec/bin/wazuh-agentd"], programs: ["wazuh-agentd"]),
        SecurityProduct("elastic", installed: ["/opt/Elastic/Endpoint"], programs: ["elastic-endpoint"]),
        eset,
    ]
}
