import PDCrypto
import PDDocument
import PDFiles
import PDProtocol
import Testing

@testable import PDClient

@Suite("What the owner of a machine sees")
struct LastSentTests {
    private func sent(_ now: String, before: String?) -> LastSent {
        LastSent(bytes: Array(now.utf8), before: before.map { Array($0.utf8) })
    }

    @Test("is what changed since the report before, by its path")
    func changed() {
        let old = #"{"hostname":"a","plugins":{"firewall":{"status":"on"},"x":1}}"#
        let new = #"{"hostname":"a","plugins":{"firewall":{"status":"off"},"x":1,"y":2}}"#
        #expect(sent(new, before: old).changed == ["firewall.status", "y"])
        #expect(sent(new, before: new).changed == [])
        #expect(sent(new, before: nil).changed == nil)
    }

    @Test("is for others than root without what is said of single users")
    func digest() {
        let text = #"{"hostname":"a","plugins":{"screenlock":{"status":"on","users":[{"user":"ann"}]}}}"#
        #expect(
            sent(text, before: nil).digest.json()
                == #"{"hostname":"a","plugins":{"screenlock":{"status":"on"}}}"#)
    }

    @Test("p199_is for others than root without what root's programs wrote, and without the place")
    func digestOfPrograms() {
        let text = """
            {"hostname":"a","commands":{"c":{"output":"secret"}},"plugins":{"geolocation":{"location":1},
            "mine":{"status":"unknown","reason":"failed","stdout":"secret","stderr":"secret","returncode":1}}}
            """
        #expect(
            sent(text, before: nil).digest.json()
                == #"{"hostname":"a","plugins":{"mine":{"status":"unknown","reason":"failed","returncode":1}}}"#
        )
    }
}
