import PDCrypto
import PDFleet
import PDProtocol

/// The one road that every signed request takes: form, envelope, signature, value. Nothing of a request is looked at
/// before its signature has been verified, but for the name in a few of those that are refused.
struct SignedRequests: Sendable {
    /// The keys that may sign.
    let clientKeys: RoleKeys
    /// The clock, in milliseconds since 1970-01-01 UTC.
    let now: @Sendable () -> Int64
    /// How much one host may ask for.
    let allowance: HostAllowance
    /// What refused requests of one address may cost.
    let refusals: RefusalAllowance
    /// Keeps what is refused in the name of a host.
    let refused: RefusedRequests

    /// Verifies a request and reads its `data`.
    func open<Value: SignedValue>(_ call: Call, as type: Value.Type) throws(Refusal) -> Value {
        try openWithSigner(call, as: type).value
    }

    /// Verifies a request and reads its `data`.
    ///
    /// - Returns: what it says, and the client key that signed it.
    func openWithSigner<Value: SignedValue>(
        _ call: Call, as type: Value.Type
    ) throws(Refusal) -> (value: Value, signer: OpenPGP.Fingerprint) {
        let (envelope, signer) = try refusals.verifying(for: call.client) { () throws(Refusal) in
            let envelope = try Self.envelope(call)
            return (envelope, try verify(envelope, call, as: type))
        }
        let value: Value
        do {
            value = try Value(json: envelope.data)
        } catch {
            throw Refusal(error)
        }
        if let host = value.host {
            call.note(host: host)
            try allowance.take(host, call.client)
        }
        return (value, signer)
    }

    /// Reads a request that a key inside it signed as well. That this key is anybody's is for the caller to find out,
    /// where no client key signed.
    ///
    /// - Returns: what it says, and the client key that signed it, where it is one that is trusted.
    func openVouchedFor<Value: SignedValue>(
        _ call: Call, as _: Value.Type
    ) throws(Refusal) -> (value: Value, signer: OpenPGP.Fingerprint?) {
        let envelope = try Self.envelope(call)
        let signer = try refusals.trying(for: call.client) { () throws(Refusal) in try verify(envelope) }
        do {
            return (try Value(json: envelope.data), try? signer.get())
        } catch {
            // Whoever has no key at all learns nothing of what is wrong besides.
            _ = try signer.get()
            throw Refusal(error)
        }
    }

    /// As ``verify(_:)``; where it fails, it is kept in whose name that was.
    private func verify<Value: SignedValue>(
        _ envelope: V1.Envelope, _ call: Call, as type: Value.Type
    ) throws(Refusal) -> OpenPGP.Fingerprint {
        do {
            return try verify(envelope)
        } catch {
            note(call, envelope.data, as: type, "\(error)")
            throw error
        }
    }

    /// The client key that signed. One that is not trusted is found out before anything is hashed.
    private func verify(_ envelope: V1.Envelope) throws(Refusal) -> OpenPGP.Fingerprint {
        guard let signature = envelope.signature, !signature.isEmpty else {
            throw .forbidden(reason: "the request is not signed")
        }
        do {
            return try clientKeys.verifier.verifyWithoutPurpose(
                signature: signature, of: envelope.data, at: OpenPGP.Timestamp(now() / 1000)
            ).certificate
        } catch {
            throw .forbidden(reason: "\(error)")
        }
    }

    /// Has it kept in whose name a request was refused. The answer does not wait for that, and nothing else depends on what
    /// such a request says.
    private func note<Value: SignedValue>(_ call: Call, _ data: [UInt8], as _: Value.Type, _ reason: String) {
        let time = now()
        let peer = call.client.map { "\($0)" } ?? "-"
        Task { [refused] in
            // What is no request names no host.
            guard await refused.mayLook(at: time), let host = (try? Value(json: data))?.host else { return }
            await refused.refused(host, peer: peer, reason: reason, at: time)
        }
    }

    /// Reads the `data` of a request that is not signed.
    static func openUnsigned<Value: RequestValue>(_ call: Call, as _: Value.Type) throws(Refusal) -> Value {
        do {
            return try Value(json: try envelope(call).data)
        } catch let error as ProtocolError {
            throw Refusal(error)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw .malformed("the request cannot be read")
        }
    }

    private static func envelope(_ call: Call) throws(Refusal) -> V1.Envelope {
        do {
            return try V1.Envelope(body: call.body, contentType: call.head.headerFields[.contentType])
        } catch {
            throw Refusal(error)
        }
    }
}

/// What a request's `data` is read into.
protocol RequestValue: Sendable {
    init(json: [UInt8]) throws(ProtocolError)
}

/// What a signed request's `data` is read into.
protocol SignedValue: RequestValue {
    /// The host that it speaks for, where it names one.
    var host: Hostname? { get }
}

extension V1.Submission: SignedValue {
    var host: Hostname? { hostname }
}

extension V1.UpdateRequest: SignedValue {
    var host: Hostname? { hostname }
}

extension V1.PatchAcknowledgement: SignedValue {
    var host: Hostname? { hostname }
}

extension V1.PipeCreation: SignedValue {
    var host: Hostname? { hostname }
}

extension V1.PipeOpening: SignedValue {
    var host: Hostname? { hostname }
}

extension V1.PipeReference: SignedValue {
    var host: Hostname? { nil }
}

extension V1.PipeMessage: RequestValue {}
