import PDDocument
import Testing

@testable import PDClient

@Suite("The schedule of an agent that stays")
struct AgentScheduleTests {
    private let schedule = AgentSchedule(collectInterval: 5, submitInterval: 1)

    @Test("keeps to the settings, less a tenth at most, and takes twice as long on battery")
    func collection() {
        #expect(schedule.untilCollection(isOnBattery: false, random: 0) == .seconds(300))
        #expect(schedule.untilCollection(isOnBattery: false, random: 1) == .seconds(270))
        #expect(schedule.untilCollection(isOnBattery: true, random: 0) == .seconds(600))
    }

    @Test("waits twice as long after each failure, half an hour at most")
    func backOff() {
        var schedule = schedule
        let pauses = (0..<8).map { failures in
            schedule.failures = failures
            return schedule.untilDelivery(isOnBattery: false, random: 0)
        }
        #expect(pauses == [60, 120, 240, 480, 960, 1800, 1800, 1800].map { .seconds($0) })
        #expect(schedule.untilDelivery(isOnBattery: false, random: 1) == .seconds(900))
    }
}

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
}
