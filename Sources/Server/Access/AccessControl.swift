import Foundation
import HTTPTypes
import Logging
import PDCrypto
import PDFleet
import PDSecrets

/// Lets requests pass by address, or by user and password (HTTP Basic, RFC 7617).
struct AccessControl: Sendable {
    /// What an endpoint without a rule does.
    enum Default: Sendable {
        /// Everybody may use it.
        case open
        /// Nobody may.
        case closed
    }

    private let rule: AccessRule?
    private let fallback: Default
    private let passwords: PasswordChecker
    private let failures: FailureThrottle

    init(
        rule: AccessRule?, otherwise fallback: Default, passwords: PasswordChecker, failures: FailureThrottle
    ) {
        self.rule = rule
        self.fallback = fallback
        self.passwords = passwords
        self.failures = failures
    }

    /// What let a request pass, for the log.
    enum Admission: Equatable, CustomStringConvertible {
        /// There is no rule.
        case anybody
        /// The address is in that range of the rule.
        case range(AddressRange)
        /// The user gave the right password.
        case user(String)

        var description: String {
            switch self {
            case .anybody: "anybody"
            case .range(let range): "range \(range)"
            case .user(let name): "user \(name)"
            }
        }
    }

    /// Returns where the request may pass; notes what let it pass.
    @discardableResult
    func check(_ call: Call) async throws(Refusal) -> Admission {
        let admission = try await admission(call)
        call.note(admission: admission)
        return admission
    }

    private func admission(_ call: Call) async throws(Refusal) -> Admission {
        guard let rule else {
            guard fallback == .open else {
                throw .forbidden(reason: "server_auth does not say who may use this endpoint")
            }
            return .anybody
        }
        if let client = call.client, let range = rule.ranges.first(where: { $0.contains(client) }) {
            return .range(range)
        }
        guard let field = call.head.headerFields[.authorization] else {
            throw .unauthorized(reason: "no user and password were given")
        }
        // Before anything is computed: this bounds what guessing costs the server, and how fast it goes.
        try await failures.begin(call.client)
        guard let credentials = Credentials(header: field) else {
            failures.end(call.client, failed: true)
            throw .unauthorized(reason: "the Authorization header is not HTTP Basic")
        }
        let matches: Bool
        do {
            matches = try await passwords.matches(credentials, rule)
        } catch {
            failures.end(call.client, failed: false)
            throw error
        }
        failures.end(call.client, failed: !matches)
        guard matches else { throw .unauthorized(reason: "wrong user or password") }
        return .user(credentials.user)
    }
}

/// A user and a password, as HTTP Basic carries them.
struct Credentials: Sendable {
    let user: String
    let password: SecretBytes

    /// Reads an `Authorization` header; nothing where it is not HTTP Basic.
    init?(header: String) {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic", parts[1].utf8.count <= 2048,
            let decoded = Data(base64Encoded: String(parts[1])),
            let colon = decoded.firstIndex(of: UInt8(ascii: ":")),
            let user = String(validating: decoded[..<colon], as: UTF8.self)
        else { return nil }
        self.user = user
        password = SecretBytes(copying: decoded[decoded.index(after: colon)...])
    }
}
