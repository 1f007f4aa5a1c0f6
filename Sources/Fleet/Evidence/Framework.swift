/// The frameworks whose names are known here. Checks may name others too.
package enum Framework {
    /// What people call it.
    package static func name(_ framework: String) -> String {
        switch framework {
        case "soc2": "SOC 2 (Trust Services Criteria 2017)"
        case "iso27001": "ISO/IEC 27001:2022, annex A"
        case "cis": "CIS Critical Security Controls 8"
        default: framework
        }
    }

    /// What a control is about, in a few words; empty where it is not known here.
    package static func title(_ framework: String, _ control: String) -> String {
        titles[framework]?[control] ?? ""
    }

    private static let titles: [String: [String: String]] = [
        "soc2": [
            "CC6.1": "Logical access to protected assets", "CC6.6": "Protection against outside threats",
            "CC6.7": "Data in transmission, movement and removal",
            "CC6.8": "Prevention and detection of malicious software",
            "CC7.1": "Detection of changes and of new vulnerabilities",
        ],
        "iso27001": [
            "A.8.1": "User endpoint devices", "A.8.5": "Secure authentication",
            "A.8.7": "Protection against malware",
            "A.8.8": "Management of technical vulnerabilities", "A.8.9": "Configuration management",
            "A.8.24": "Use of cryptography",
        ],
        "cis": [
            "4": "Secure configuration of assets and software", "7": "Continuous vulnerability management",
            "10": "Malware defenses",
        ],
    ]

    /// The order that people expect: `A.8.5` before `A.8.24`, `4` before `10`.
    static func isBefore(_ left: String, _ right: String) -> Bool {
        let (first, second) = (parts(left), parts(right))
        for (one, other) in zip(first, second) where one != other {
            if let number = Int(one), let beside = Int(other) { return number < beside }
            return one < other
        }
        return first.count < second.count
    }

    private static func parts(_ control: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = control[...]
        while let first = rest.first {
            let isNumber = first.isNumber
            let part = rest.prefix { $0.isNumber == isNumber }
            parts.append(part)
            rest = rest[part.endIndex...]
        }
        return parts
    }
}
