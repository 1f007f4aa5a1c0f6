import PDCrypto
import PDDocument
import PDSecrets

/// What a server may say by itself: which key it signs with, which key the fleet's reports are signed with, and which
/// certificate its port is known by. It says nothing else: whom machines obey is decided by people.
///
/// The server's key that was valid before signs it, so that a machine that knows one key of a server finds the way to
/// the present one: each statement leads to the next.
public struct KeyStatement: Sendable, Equatable {
    static let format = "penguindome-keys-1"
    /// The most bytes that are read.
    public static let sizeLimit = 1 << 20
    /// The highest serial number.
    public static let serialLimit = 1 << 52
    /// The most bytes of the server's key, and of its certificates.
    private static let partLimit = 256 << 10

    /// Counts upwards; of two statements the later one holds.
    public let serial: Int
    /// When it was made, in seconds since 1970-01-01 UTC.
    public let issued: Int64
    /// The server's key that signs this.
    public let signer: OpenPGP.Fingerprint
    /// The server's key from now on, an OpenPGP certificate.
    public let serverKey: OpenPGP.Certificate
    /// The key that reports are signed with from now on. Its secret half is no part of this.
    public let clientKey: OpenPGP.Fingerprint
    /// The certificates, in PEM, by which the server's port is known from now on; nothing where others vouch for it.
    public let authority: [UInt8]?

    /// A statement to sign.
    ///
    /// - Throws: what ``init(json:)`` would find wrong with it.
    public init(
        serial: Int, issued: Int64, signer: OpenPGP.Fingerprint, serverKey: OpenPGP.Certificate,
        clientKey: OpenPGP.Fingerprint, authority: [UInt8]?
    ) throws(StatementError) {
        self.serial = serial
        self.issued = issued
        self.signer = signer
        self.serverKey = serverKey
        self.clientKey = clientKey
        self.authority = authority
        _ = try KeyStatement(json: json())
    }

    private static let known: Set<String> = [
        "format", "critical", "serial", "issued_at", "signed_by", "server_key", "client_key", "certificates",
    ]

    /// Reads the bytes of a statement, whose signature is good.
    public init(json: [UInt8]) throws(StatementError) {
        let fields = try StatementFields(
            json: json, limit: Self.sizeLimit, format: Self.format, known: Self.known)
        // Whoever reads more into it than it can say is wrong.
        try fields.refuseUnknown(Self.known)
        serial = try fields.integer("serial", in: 1...Self.serialLimit)
        issued = try fields.time("issued_at")
        signer = try fields.fingerprint("signed_by")
        let serverKey = try fields.base64("server_key", limit: Self.partLimit)
        do throws(OpenPGP.Error) {
            self.serverKey = try OpenPGP.Certificate(serverKey)
        } catch { throw .badField("server_key", reason: "is not a public key: \(error)") }
        clientKey = try fields.fingerprint("client_key")
        guard clientKey != self.serverKey.fingerprint, clientKey != signer else {
            throw .badField("client_key", reason: "is the server's own key")
        }
        authority =
            fields.has("certificates") ? try fields.base64("certificates", limit: Self.partLimit) : nil
    }

    /// The bytes to sign and to send.
    public func json() -> [UInt8] {
        var writer = DocumentWriter()
        writer.append("format", .string(Self.format))
        writer.append("serial", .int(serial))
        writer.append("issued_at", StatementFields.time(issued))
        writer.append("signed_by", .string("\(signer)"))
        writer.append("server_key", .string(BaseN.base64.text(serverKey.bytes)))
        writer.append("client_key", .string("\(clientKey)"))
        if let authority { writer.append("certificates", .string(BaseN.base64.text(authority))) }
        return Array(writer.finish().json().utf8)
    }

    /// Two of the same bytes.
    public static func == (left: KeyStatement, right: KeyStatement) -> Bool { left.json() == right.json() }
}

extension KeyStatement {
    /// Of all statements of a server those that lead a machine from the key that it knows to the present one: each that
    /// changes the server's key, and the newest.
    ///
    /// - Parameters:
    ///   - statements: all of them, by serial number.
    ///   - serial: the number of the last one that the machine followed; 0 where it followed none.
    ///   - key: the server's key that the machine knows.
    /// - Returns: the positions of those to send, in the order in which they are to be followed.
    public static func path(
        through statements: [KeyStatement], after serial: Int, knowing key: OpenPGP.Fingerprint
    ) -> [Int] {
        guard
            let start = statements.firstIndex(where: { $0.serial > serial && $0.signer == key })
        else { return [] }
        return (start..<statements.count).filter {
            $0 == statements.count - 1 || statements[$0].serverKey.fingerprint != statements[$0].signer
        }
    }
}
