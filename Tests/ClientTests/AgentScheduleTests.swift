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
