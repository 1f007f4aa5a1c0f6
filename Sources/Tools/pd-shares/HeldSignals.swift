import Glibc
import PDShareFiles

/// Signals that would end or stop the program, held back while a terminal is not in order.
struct HeldSignals {
    private static let all = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP]
    private var before = sigset_t()

    /// Holds them back from now on.
    init() {
        var held = sigset_t()
        sigemptyset(&held)
        for signal in Self.all { sigaddset(&held, signal) }
        pthread_sigmask(SIG_BLOCK, &held, &before)
    }

    /// Delivers what came meanwhile: the program ends here, or stops and goes on later.
    func release() {
        var before = self.before
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }

    /// Waits until a terminal has something to read: a line, or a part of one and Ctrl-D.
    ///
    /// - Returns: false where a signal came instead.
    func waitForInput(_ terminal: Int32) throws(ToolError) -> Bool {
        while true {
            var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, 100)
            guard ready >= 0 || errno == EINTR else {
                throw ToolError("cannot read", "the terminal", errno: errno)
            }
            if ready > 0 { return true }
            if haveCome { return false }
        }
    }

    private var haveCome: Bool {
        var (pending, before) = (sigset_t(), self.before)
        sigpending(&pending)
        return Self.all.contains { sigismember(&pending, $0) == 1 && sigismember(&before, $0) == 0 }
    }
}
