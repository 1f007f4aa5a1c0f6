import Foundation
import PDSecrets
import Testing

/// The list of checks that `Tests/Support/mutate_guards.py` takes away one by one. That each of them is missed by a test
/// is shown by running it, which takes an hour; that it finds them, and forgives none but those it names, is shown here.
@Suite struct ChecksTests {
    private static let support = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Support")

    @Test func `p105_ every check of the core can be taken away, and one that no test misses has a reason`()
        throws
    {
        let script = Self.support.appending(path: "mutate_guards.py").path
        let listed = try Program.run("python3", [script, "--list"])
        #expect(listed.status == 0, "\(listed.errors)")
        let checks = String(decoding: listed.output, as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(checks.count > 250)
        #expect(checks.contains("Sources/Secrets/ConstantTime.swift: left.count == right.count"))
        #expect(checks.contains("Sources/Shamir/Points.swift: point != 0"))
        let allowed = try String(
            contentsOf: Self.support.appending(path: "mutants-allowed.txt"), encoding: .utf8)
        for line in allowed.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: "#", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            try #require(parts.count == 2 && parts[1].count > 10, "no reason: \(line)")
            #expect(checks.contains(parts[0]), "no such check any more: \(line)")
        }
    }
}
