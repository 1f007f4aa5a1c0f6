import Testing

@testable import PDClient

@Suite("What locks a screen")
struct IdleDaemonTests {
    @Test(
        "is told from the command line and the settings of swayidle; asking logind counts only where something listens",
        arguments: [
            ("swayidle timeout 300 swaylock", "", 300, true),
            ("swayidle -w -C /c timeout 60 swaylock timeout 30 gtklock", "", 30, true),
            ("swayidle timeout 300 loginctl", "", nil, false),
            (
                "swayidle", "timeout 120 'swaylock -f' resume 'x'\nbefore-sleep \"swaylock -f\" # last\n",
                120, true
            ),
            ("swayidle", "timeout 120 'loginctl lock-session'\n", nil, false),
            ("swayidle", "timeout 120 'loginctl lock-session'\nlock 'swaylock -f'\n", 120, true),
            ("swayidle timeout 300 ./own-script", "", nil, nil),
            ("swayidle timeout 99999999999999999999 swaylock", "", nil, nil),
        ] as [(String, String, Int?, Bool?)])
    func swayidle(_ line: String, _ settings: String, _ delay: Int?, _ enabled: Bool?) {
        let lock = IdleDaemons.swayidle(line.split(separator: " ").map(String.init), settings: settings)
        #expect(lock.delay == delay)
        if delay != nil || enabled == false {
            #expect(lock.enabled == enabled)
        } else {
            #expect(lock.enabled != true)
        }
    }

    @Test("is light-locker or xss-lock only as far as the X server blanks the screen")
    func blanking() {
        #expect(
            IdleDaemons.lightLocker(["light-locker", "--lock-after-screensaver=10"], blank: 300).delay == 310)
        #expect(IdleDaemons.lightLocker(["light-locker"], blank: 0).enabled == false)
        #expect(IdleDaemons.lightLocker(["light-locker"], blank: nil).enabled == nil)
        #expect(IdleDaemons.xssLock(["xss-lock", "-n", "dim", "--", "i3lock"], blank: 600).delay == 600)
        #expect(IdleDaemons.xssLock(["xss-lock", "./own"], blank: 600).enabled == nil)
        #expect(
            IdleDaemons.xidlehook(["xidlehook", "--timer", "60", "dim", "", "--timer", "30", "slock", ""])
                .delay == 90)
        #expect(IdleDaemons.xscreensaver(nil).enabled == false)
        #expect(IdleDaemons.xscreensaver("lock: True\ntimeout: 0:05:00\nlockTimeout: 0:01:00\n").delay == 360)
    }
}
