import Foundation
import PDCrypto
import PDFiles

extension ServerState {
    /// Looks at the header of an embedded database alone: opening it would make files beside it.
    ///
    /// - Throws: ``StateError`` where there is none.
    package static func checkDatabase(_ path: String) throws(StateError) {
        guard Files.exists(path) else {
            throw StateError("there is no database \(path): pd-server setup makes one")
        }
        let header: [UInt8]
        do {
            header = try Files.read(path, at: 0, count: 16)
        } catch {
            throw StateError("\(path) is not a database: \(error)")
        }
        // https://www.sqlite.org/fileformat.html#the_database_header
        guard header == Array("SQLite format 3\0".utf8) else { throw StateError("\(path) is not a database") }
    }

    /// Looks whether the server's keys are there and belong together. It serves without them, but orders that it is to
    /// sign and agents that are to join cannot do without.
    ///
    /// - Returns: what is to be known about them. The secret key may be kept on another machine.
    /// - Throws: ``StateError`` that names the file.
    package func checkServerKey() throws(StateError) -> String? {
        guard Files.exists(serverPublicKey.path) else {
            return "\(serverPublicKey.path) is not there: pd-server setup makes it again from the secret key"
        }
        let published: OpenPGP.Certificate
        let own: OpenPGP.Certificate
        let publicBytes = try PrivateFiles.read(serverPublicKey)
        do {
            published = try OpenPGP.Certificate(publicBytes)
        } catch {
            throw StateError("\(serverPublicKey.path) is not a public key: \(error)")
        }
        guard Files.exists(serverSecretKey.path) else {
            return "\(serverSecretKey.path) is not there: orders have to be signed with a key that is given"
        }
        let secret = try PrivateFiles.readSecret(serverSecretKey, limit: OpenPGP.SecretKey.sizeLimit)
        do {
            own = try OpenPGP.SecretKey(secret).certificate
        } catch {
            throw StateError("\(serverSecretKey.path) is not a secret key: \(error)")
        }
        guard own.fingerprint == published.fingerprint else {
            throw StateError("\(serverPublicKey.path) does not belong to \(serverSecretKey.path)")
        }
        return nil
    }
}
