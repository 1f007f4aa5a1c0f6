import PDBasics
import PDDocument
import PDProtocol
import PDStore
import Testing

@testable import PDFleet

@Suite("Which findings are shown")
struct FindingFilterTests {
    private static let friday: Int64 = 1_780_675_200_000  // 2026-06-05T16:00:00Z, a Friday
    private static let hour: Int64 = 3_600_000

    private func finding(
        _ name: String, _ check: String = "bad", _ state: Finding.State = .open, told: Int64? = nil
    ) throws -> Finding {
        let hostname = try #require(Hostname(name))
        var made = Check(name: check, title: check, method: .builtIn)
        made.calendar = WorkingCalendar.standard(zone: .gmt)
        made.alertFrequency = TimeSpan(milliseconds: 24 * Self.hour)
        return Finding(
            subject: .host(HostID(v1: hostname), hostname), check: made, kind: .failing, openedAt: 0,
            alertedAt: told, evidence: "", state: state, silence: nil)
    }

    @Test(
        "only what alerts, unless a state is asked for",
        arguments: [Finding.State.grace, .snoozed, .suspended, .exempt])
    func states(state: Finding.State) throws {
        var filter = FindingFilter()
        #expect(filter.shows(try finding("a"), at: 0))
        #expect(!filter.shows(try finding("a", "bad", state), at: 0))
        filter.states.insert(state)
        #expect(filter.shows(try finding("a", "bad", state), at: 0))
    }

    @Test("one host and one check, and nothing of the fleet itself where hosts are named")
    func choice() throws {
        var filter = FindingFilter()
        filter.hosts = [HostID(v1: try #require(Hostname("a")))]
        filter.checks = ["bad"]
        #expect(filter.shows(try finding("a"), at: 0))
        #expect(!filter.shows(try finding("b"), at: 0))
        #expect(!filter.shows(try finding("a", "worse"), at: 0))
        let fleet = Finding(
            subject: .fleet("port 1"), check: Check(name: "bad", title: "", method: .builtIn), kind: .failing,
            openedAt: 0, alertedAt: nil, evidence: "", state: .open, silence: nil)
        #expect(!filter.shows(fleet, at: 0))
        filter.hosts = []
        #expect(filter.shows(fleet, at: 0))
    }

    @Test("what was told is left out until the alert frequency is over, by the check's calendar")
    func recent() throws {
        var filter = FindingFilter()
        let told = try finding("a", told: Self.friday)
        #expect(filter.shows(told, at: Self.friday))
        filter.showsRecent = false
        // A working day after Friday at 16:00 is Monday at 16:00.
        #expect(!filter.shows(told, at: Self.friday + 71 * Self.hour))
        #expect(filter.shows(told, at: Self.friday + 72 * Self.hour))
        #expect(filter.shows(try finding("a"), at: Self.friday))
    }
}
