import CLinux
import Glibc
import PDFiles

/// What an agent that stays waits for: a time, signals, and a network that comes back. It sleeps in one call of the kernel
/// until one of them is there, and time goes on while the machine is suspended.
final class AgentEvents {
    /// What came first.
    enum Event: Equatable {
        case time
        case signal(Int32)
        /// There is a new way out, or there may be.
        case network
    }

    private let signals: Int32
    private let timer: Int32
    private var routes: Int32 = -1

    /// - Parameter signals: those to wait for, which are blocked from now on.
    init(_ numbers: [Int32]) throws(FileError) {
        var set = sigset_t()
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signals = pd_signals(&set)
        timer = pd_timer()
        guard signals >= 0, timer >= 0 else {
            throw FileError(operation: "wait for", path: "signals and times", code: errno)
        }
    }

    deinit {
        for descriptor in [signals, timer, routes] where descriptor >= 0 { close(descriptor) }
    }

    /// Waits.
    ///
    /// - Parameter watchesNetwork: whether a new default route is of interest.
    func wait(until time: ContinuousClock.Instant, watchesNetwork: Bool = false) -> Event {
        watch(watchesNetwork)
        while true {
            let left = max(.zero, ContinuousClock.now.duration(to: time))
            guard left > .zero else { return .time }
            // As the clock, it counts while the machine is suspended.
            pd_set_timer(
                timer, left.components.seconds, max(1, Int(left.components.attoseconds / 1_000_000_000)))
            var polled = [signals, timer, routes].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&polled, nfds_t(polled.count), -1) > 0 else { continue }
            let signal = pd_next_signal(signals)
            if signal > 0 { return .signal(signal) }
            if polled[2].revents != 0, pd_new_default_route(routes) != 0 { return .network }
        }
    }

    /// The kernel tells of routes only while somebody wants to know, so that nothing else wakes us.
    private func watch(_ isWanted: Bool) {
        if isWanted, routes < 0 {
            // Without it, what waits is tried again at its time.
            routes = pd_route_changes()
        } else if !isWanted, routes >= 0 {
            close(routes)
            routes = -1
        }
    }
}
