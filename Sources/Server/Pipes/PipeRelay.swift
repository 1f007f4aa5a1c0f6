import PDCrypto
import PDProtocol

/// The pipes of version 1: each carries messages between a person and a host, decrypted from one and encrypted to the
/// other. They live in memory alone: a server that starts again has none.
///
/// A pipe's identifier is a random number of 128 bits that only its two ends learn; sending and receiving need nothing
/// else, as version 1 wants it, and what is sent must decrypt. Only the host for which a pipe was made can open it, once.
/// A message that does not decrypt ends its direction.
actor PipeRelay {
    /// What pipes may take.
    struct Limits: Sendable {
        /// How many pipes there may be.
        var pipes = 64
        /// How many bytes may wait for one end. A sender waits for room.
        var waitingBytes = 4 << 20
        /// How many messages may wait for one end.
        var waitingMessages = 4096
        /// After so long without a word a pipe is gone.
        var idle = Duration.seconds(600)
        /// How long a request may wait for a message, or for room.
        var hold = Duration.seconds(10)
    }

    /// Where a request may wait: each end of a pipe has one place for a sender and one for a receiver.
    private struct Place: Hashable {
        let pipe: String
        let peer: V1.PipePeer
        let isSender: Bool
    }

    private struct Waiter {
        let number: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    private let limits: Limits
    private let random: any RandomSource
    private var pipes: [String: Pipe] = [:]
    private var waiters: [Place: Waiter] = [:]
    private var nextWaiter = 0
    private var isStopping = false

    /// - Parameters:
    ///   - limits: what pipes may take.
    ///   - random: gives their identifiers.
    init(limits: Limits = .init(), random: any RandomSource = SecureRandom(.sessionKey)) {
        self.limits = limits
        self.random = random
    }

    /// How many pipes there are.
    var count: Int { pipes.count }

    /// Makes a pipe to a host.
    ///
    /// - Returns: its identifier.
    func create(for host: Hostname, key: V1.PipeKey) throws(Refusal) -> String {
        expire()
        guard pipes.count < limits.pipes, !isStopping else {
            throw .unavailable("too many pipes", retryAfter: 30)
        }
        do {
            let end = try Pipe.End(key)
            let id = try random.bytes(count: V1.pipeIDDigits / 2)
                .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            pipes[id] = Pipe(host: host, server: end, at: .now)
            return id
        } catch {
            throw .unavailable("no pipe can be made: \(error)", retryAfter: 30)
        }
    }

    /// The host opens its end.
    func open(_ id: String, by host: Hostname, key: V1.PipeKey) throws(Refusal) {
        let pipe = try pipe(id)
        guard pipe.host == host else { throw .forbidden(reason: "the pipe is for another host") }
        guard !pipe.isOpen else { throw .conflict("the pipe is open already") }
        do {
            pipe.open(try Pipe.End(key))
        } catch {
            throw .unavailable("no pipe can be opened: \(error)", retryAfter: 30)
        }
        pipe.usedAt = .now
    }

    /// Takes a message from one end; waits for room where the other end is slow.
    func send(
        _ message: consuming [UInt8], on id: String, from peer: V1.PipePeer
    ) async throws(Refusal) -> V1.PipeAnswer {
        guard message.count <= V1.maximumPipeMessageBytes else {
            throw .tooLarge("a pipe's message of more than \(V1.maximumPipeMessageBytes) bytes")
        }
        let deadline = ContinuousClock.now + limits.hold
        while true {
            let pipe = try pipe(id)
            pipe.usedAt = .now
            let end = try pipe.end(peer)
            if pipe.closed.contains(peer.other) { return .endOfFile }
            guard !pipe.closed.contains(peer) else { throw .conflict("this end is closed") }
            if let queue = pipe.waiting[peer.other],
                queue.messages.count < limits.waitingMessages,
                queue.messages.isEmpty || queue.byteCount + message.count <= limits.waitingBytes
            {
                let payload = try end.decrypt(message)
                pipe.waiting[peer.other]?.append(payload)
                wake(id)
                return .ok
            }
            guard await waits(Place(pipe: id, peer: peer, isSender: true), until: deadline) else {
                throw .unavailable("the other end of the pipe does not keep up", retryAfter: 1)
            }
        }
    }

    /// The next message for one end; waits for one for a while.
    func receive(on id: String, at peer: V1.PipePeer) async throws(Refusal) -> V1.PipeAnswer {
        let deadline = ContinuousClock.now + limits.hold
        while true {
            let pipe = try pipe(id)
            pipe.usedAt = .now
            let end = try pipe.end(peer)
            if let payload = pipe.waiting[peer]?.next() {
                let message = try end.encrypt(payload)
                wake(id)
                return .data(message)
            }
            if pipe.closed.contains(peer.other) { return .endOfFile }
            guard !pipe.closed.contains(peer) else { throw .conflict("this end is closed") }
            guard await waits(Place(pipe: id, peer: peer, isSender: false), until: deadline) else {
                return .ok
            }
        }
    }

    /// One end will neither send nor receive any more. When both have closed, or nobody has opened the other, the pipe
    /// is gone.
    func close(_ id: String, from peer: V1.PipePeer) throws(Refusal) -> V1.PipeAnswer {
        let pipe = try pipe(id)
        pipe.closed.insert(peer)
        pipe.usedAt = .now
        if pipe.closed.count == 2 || !pipe.isOpen { pipes[id] = nil }
        wake(id)
        return .ok
    }

    /// Answers all requests that wait, and lets no more wait: the server is stopping.
    func stop() {
        isStopping = true
        for place in Array(waiters.keys) { resume(place, happened: false) }
    }

    // MARK: - Inside

    private func pipe(_ id: String) throws(Refusal) -> Pipe {
        expire()
        guard let pipe = pipes[id] else { throw .notFound("no such pipe") }
        return pipe
    }

    private func expire() {
        let now = ContinuousClock.now
        for (id, pipe) in pipes where pipe.usedAt.duration(to: now) > limits.idle {
            pipes[id] = nil
            wake(id)
        }
    }

    /// Waits for something to happen on a pipe; false where nothing did in time. Whoever comes later to a place takes it,
    /// so that requests cannot pile up.
    private func waits(_ place: Place, until deadline: ContinuousClock.Instant) async -> Bool {
        let left = ContinuousClock.now.duration(to: deadline)
        guard left > .zero, !isStopping else { return false }
        resume(place, happened: false)
        let number = nextWaiter
        nextWaiter += 1
        let timer = Task {
            // Cancelled where something happened first.
            try? await Task.sleep(for: left)
            if self.waiters[place]?.number == number { self.resume(place, happened: false) }
        }
        defer { timer.cancel() }
        return await withCheckedContinuation { continuation in
            waiters[place] = Waiter(number: number, continuation: continuation)
        }
    }

    private func wake(_ id: String) {
        for place in Array(waiters.keys) where place.pipe == id { resume(place, happened: true) }
    }

    private func resume(_ place: Place, happened: Bool) {
        waiters.removeValue(forKey: place)?.continuation.resume(returning: happened)
    }
}
