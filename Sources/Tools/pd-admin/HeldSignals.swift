import Foundation
import Synchronization

/// Signals that would end or stop the process, held until ``deliver()``.
///
/// They are caught, not blocked: a mask is a thread's own, and the system would take another thread for them.
struct HeldSignals {
    private var before: [(number: Int32, action: sigaction)] = []

    /// Holds them from here on.
    init() {
        lastReceived.store(0, ordering: .relaxed)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { lastReceived.store($0, ordering: .relaxed) }
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP] {
            var old = sigaction()
            sigaction(number, &action, &old)
            before.append((number, old))
        }
    }

    /// The number of the signal that came last; 0 where none came.
    var received: Int32 { lastReceived.load(ordering: .relaxed) }

    /// Lets signals do again what they did before, and the one that came do it now.
    func deliver() {
        for (number, action) in before {
            var action = action
            sigaction(number, &action, nil)
        }
        guard received != 0 else { return }
        // Threads of a pool block all signals: then it would wait for ever.
        var number = sigset_t()
        var mask = sigset_t()
        sigemptyset(&number)
        sigaddset(&number, received)
        pthread_sigmask(SIG_UNBLOCK, &number, &mask)
        raise(received)
        pthread_sigmask(SIG_SETMASK, &mask, nil)
    }
}

/// A handler of signals reaches nothing but what is global.
private let lastReceived = Atomic<Int32>(0)
