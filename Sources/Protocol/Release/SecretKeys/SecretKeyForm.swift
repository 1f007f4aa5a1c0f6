/// What kind of secret key was found where none may be.
public enum SecretKeyForm: Equatable, Sendable, CustomStringConvertible {
    /// A `BEGIN … PRIVATE KEY` block, by its label: OpenPGP, OpenSSH, PKCS #8, PKCS #1, SEC 1, ssh.com.
    case armored(label: String)
    /// A secret key packet, or subkey packet, of OpenPGP (RFC 9580, section 5.5.3).
    case openPGP
    /// A key as gpg-agent keeps it.
    case gpgAgent
    /// The binary inside of an OpenSSH key file (PROTOCOL.key of OpenSSH).
    case openSSH
    /// A PuTTY key file.
    case putty
    /// DER of PKCS #8 (RFC 5958), in the clear or encrypted.
    case pkcs8
    /// DER of PKCS #1 (RFC 8017, A.1.2), or the like of DSA.
    case pkcs1
    /// DER of an elliptic curve's key (RFC 5915).
    case sec1
    /// An identity of age.
    case age
    /// A share of a secret that `pd-shares` wrote.
    case share
    /// The place where GnuPG keeps secret keys.
    case place(String)

    /// What it is, for people.
    public var description: String {
        switch self {
        case .armored(let label): "a secret key (\(label))"
        case .openPGP: "an OpenPGP secret key"
        case .gpgAgent: "a secret key of gpg-agent"
        case .openSSH: "an OpenSSH private key"
        case .putty: "a PuTTY private key"
        case .pkcs8: "a private key in PKCS #8"
        case .pkcs1: "a private key in PKCS #1"
        case .sec1: "a private key in SEC 1"
        case .age: "an age identity"
        case .share: "a share of a secret"
        case .place(let name): "in \(name), where GnuPG keeps secret keys"
        }
    }
}
