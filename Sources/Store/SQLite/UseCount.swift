/// Lets calls in until somebody closes the door, who then waits until the last of them has left.
final class UseCount: Sendable {
    private struct State: Sendable {
        var inUse = 0
        var isClosing = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    /// Begins a call; false where the door is closed.
    func enter() -> Bool {
        state.withLock { state in
            guard !state.isClosing else { return false }
            state.inUse += 1
            return true
        }
    }

    /// Ends a call.
    func leave() {
        let released = state.withLock { state in
            state.inUse -= 1
            guard state.inUse == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in released { continuation.resume() }
    }

    /// Closes the door and waits until nobody is left.
    func drain() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                state.isClosing = true
                if state.inUse > 0 { state.waiting.append(continuation) }
                return state.inUse == 0
            }
            if isEmpty { continuation.resume() }
        }
    }
}
