import PDCrypto
import PDDocument
import PDFiles
import PDProtocol

extension Agent {
    /// Registers this machine's own keys with the server, and follows what that says of its keys. That it could not be asked
    /// is no reason to report nothing: it is told in the log, and tried again next time.
    ///
    /// - Returns: the agent to go on with: with another client key where the fleet has a new one.
    public func followingKeys(over transport: any RequestTransport) async -> Agent {
        do {
            let lock = try state.lock()
            defer { withExtendedLifetime(lock) {} }
            let follower = KeyFollower(state: state, hostname: hostname, now: now(), log: log)
            guard let new = try await follower.follow(signer, over: transport) else { return self }
            return Agent(
                state: state, settings: settings, hostname: hostname, signer: new, machine: machine,
                runner: runner, log: log, now: now)
        } catch KeyFollower.Problem.notReached(let reason) {
            log.info("the server was not asked about keys: \(reason)")
        } catch KeyFollower.Problem.notOffered {
            log.debug("the server knows nothing of the keys of machines")
        } catch { log.error("\(error)") }
        return self
    }

    /// Collects and delivers, then follows the fleet's keys. Where the client key was retired meanwhile, what was refused is
    /// delivered under the new one.
    ///
    /// - Returns: how many reports the server took.
    @discardableResult
    public func cycleFollowingKeys(
        over transport: any ReportTransport & RequestTransport, patience: Submitter.Patience = .init()
    ) async throws(AgentError) -> Int {
        let result: Result<Int, AgentError>
        do throws(AgentError) {
            result = .success(try await cycle(over: transport, patience: patience))
        } catch {
            // Whoever was not reached a moment ago is not asked again.
            if case .notReached = error { throw error }
            result = .failure(error)
        }
        let agent = await followingKeys(over: transport)
        if case .failure(.refused) = result, agent.signer.fingerprint != signer.fingerprint {
            return try await agent.submit(over: transport, patience: patience)
        }
        return try result.get()
    }

    /// Signs what waits anew where a client key of before signed it: one that is retired meanwhile must cost no report.
    func renewSignatures(in spool: Spool) throws(FileError) {
        guard Files.exists(state.formerClientKeys) else { return }
        let bytes = try Files.read(state.formerClientKeys, limit: 1 << 20)
        let former: OpenPGP.Verifier
        do throws(OpenPGP.Error) {
            former = OpenPGP.Verifier(certificates: try OpenPGP.Certificate.all(in: bytes))
        } catch {
            log.error("\(state.formerClientKeys) is of no use: \(error)")
            return try Files.remove(state.formerClientKeys)
        }
        for entry in try spool.contents().waiting {
            guard let report = spool.read(entry), isSigned(report, by: former) else { continue }
            let signature: String
            do {
                signature = try signer.sign(report.data, at: now() / 1000)
            } catch {
                // It may be taken as it is; the next run tries again.
                log.error("a report that waits cannot be signed anew: \(error)", metadata: entry.metadata)
                return
            }
            try spool.replace(
                entry, with: SignedReport(data: report.data, signature: Array(signature.utf8)))
        }
        try Files.remove(state.formerClientKeys)
    }

    private func isSigned(_ report: SignedReport, by former: OpenPGP.Verifier) -> Bool {
        do throws(OpenPGP.Error) {
            _ = try former.verifyWithoutPurpose(
                signature: report.signature, of: report.data, at: OpenPGP.Timestamp(now() / 1000))
            return true
        } catch { return false }
    }

    /// This machine's own keys, to show: an administrator compares them before approving them.
    func machineStatus() throws(AgentError) -> (key: Value, standing: Value) {
        guard Files.exists(state.machineKey) else { return (.null, .null) }
        let standing = KeyHistory(file: state.keyHistory).standing
        return (
            .string(try MachineKey(file: state.machineKey).publicKeys.fingerprint),
            standing.map { .string($0.rawValue) } ?? .null
        )
    }
}
