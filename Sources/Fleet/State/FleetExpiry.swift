import Foundation
import PDCrypto

/// When a certificate or key of the fleet ends.
package struct FleetExpiry: Sendable, Equatable {
    /// What has it: `port 8443`, `server key` and its fingerprint.
    package let subject: String
    /// When it ends, in milliseconds since 1970-01-01 UTC; nothing where it does not, or cannot be used.
    package let endsAt: Int64?
    /// What is to be said about it now; nothing where it is good for long.
    package let notice: String?
}

extension Fleet {
    /// The certificates of all ports, the server's key and those of clients.
    ///
    /// - Parameter now: the clock, in milliseconds since 1970-01-01 UTC.
    package func expiries(at now: Int64) -> [FleetExpiry] {
        let ports = settings.ports.compactMap { port -> FleetExpiry? in
            guard let tls = port.tls else { return nil }
            let subject = "port \(port.number)"
            do {
                let file = try CertificateFile(URL(filePath: tls.certificate, relativeTo: state.settingsFile))
                return FleetExpiry(
                    subject: subject, endsAt: file.expiresAt * 1000,
                    notice: Self.notice(
                        (file.expiresAt - now / 1000) / 86_400, isOver: file.expiresAt <= now / 1000))
            } catch {
                return FleetExpiry(subject: subject, endsAt: nil, notice: "\(error)")
            }
        }
        var keys: [(role: String, file: URL)] = []
        if FileManager.default.fileExists(atPath: state.serverPublicKey.path) {
            keys.append(("server", state.serverPublicKey))
        }
        do {
            keys += try RoleKeys.keyFiles(in: state.clientKeys).map { ("client", $0.file) }
        } catch {
            return ports + [FleetExpiry(subject: "client keys", endsAt: nil, notice: "\(error)")]
        }
        let time = OpenPGP.Timestamp(now / 1000)
        return ports
            + keys.map { role, file in
                do {
                    let certificate = try OpenPGP.Certificate(PrivateFiles.read(file))
                    return FleetExpiry(
                        subject: "\(role) key \(certificate.fingerprint)",
                        endsAt: certificate.expirationTime(at: time).map { $0.seconds * 1000 },
                        notice: KeyExpiry(certificate, at: time)?.text)
                } catch {
                    return FleetExpiry(
                        subject: "\(role) key \(file.lastPathComponent)", endsAt: nil, notice: "\(error)")
                }
            }
    }

    private static func notice(_ days: Int64, isOver: Bool) -> String? {
        if isOver { return "its certificate has ended" }
        guard days < KeyExpiry.noticeDays else { return nil }
        return days == 0
            ? "its certificate ends today" : "its certificate ends in \(days) day\(days == 1 ? "" : "s")"
    }
}
