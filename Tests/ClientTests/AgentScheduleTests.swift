import Glibc
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

    @Test("tries soon after a network has come back, each machine at a time of its own")
    func network() {
        #expect(AgentSchedule.afterNetwork(random: 0) == .seconds(2))
        #expect(AgentSchedule.afterNetwork(random: 1) == .seconds(10))
    }

    @Test(
        "starts nothing while the machine goes down, and does while it comes up",
        arguments: [
            ("System is going down. Unprivileged users are not permitted to log in anymore.\n", true),
            ("System is booting up. Unprivileged users are not permitted to log in yet.\n", false),
            ("", false),
            ("\rThe system is going DOWN for maintenance in 5 minutes!\r\n", true),
        ])
    func shutdown(_ notice: String, _ expected: Bool) throws {
        let directory = try TemporaryDirectory()
        if !notice.isEmpty { try directory.write(notice, to: "/run/nologin") }
        var machine = Machine.this()
        machine.root = directory.path
        #expect(Shutdown.isUnderWay(machine) == expected)
    }

    @Test("waits for a time, a signal, or both, and loses no signal that comes meanwhile")
    func events() throws {
        let events = try AgentEvents([SIGUSR1])
        let start = ContinuousClock.now
        #expect(events.wait(until: start + .milliseconds(30), watchesNetwork: true) == .time)
        #expect(start.duration(to: .now) >= .milliseconds(30))
        // To this thread, which has it blocked.
        pthread_kill(pthread_self(), SIGUSR1)
        #expect(events.wait(until: .now + .seconds(30)) == .signal(SIGUSR1))
        #expect(events.wait(until: .now) == .time)
    }
}
