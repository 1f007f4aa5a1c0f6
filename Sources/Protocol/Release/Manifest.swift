import PDDocument

/// What a release is: everything that an agent must know before it unpacks a byte. It is signed detached, as the bytes
/// in which it is sent.
///
/// It names the software, channel and architecture that it is for, so that no other software's release can take its
/// place; it ends, so that nobody can hold a fleet at an old release for ever; and it holds length and digest of the
/// archive and of every file in it, so that no two releases can be mixed.
public struct Manifest: Equatable, Sendable {
    /// The archive that holds the files.
    public struct Archive: Hashable, Sendable {
        /// Its size in bytes.
        public let size: Int
        /// SHA-256 of the whole, 32 bytes.
        public let digest: [UInt8]

        /// An archive of that size and digest.
        public init(size: Int, digest: [UInt8]) {
            self.size = size
            self.digest = digest
        }
    }

    /// What `format` says.
    public static let format = "penguindome-release-1"
    /// The most bytes of a manifest.
    public static let sizeLimit = 4 << 20
    /// The most files of a release.
    public static let fileLimit = 10_000
    /// The highest number of a release: the end of the year 9999 in Unix time. A number that somebody signed by mistake
    /// leaves room above it.
    public static let numberLimit = 253_402_300_799
    /// The most bytes of an archive.
    public static let archiveSizeLimit = 2 << 30
    /// What releases of the agent are called.
    public static let agentProduct = "penguindome-agent"
    /// The architecture of a release that runs anywhere.
    public static let anyArchitecture = "any"

    /// Which release this is; each has a higher one than those before it.
    public let number: Int
    /// The software, such as `penguindome-agent`.
    public let product: String
    /// Which of several lines of releases, such as `stable`.
    public let channel: String
    /// As the kernel names it, such as `x86_64`, or ``anyArchitecture``.
    public let architecture: String
    /// When it was built, in seconds since 1970-01-01 UTC.
    public let created: Int64
    /// From when on it is not to be installed any more.
    public let expires: Int64
    /// The lowest release that may be replaced by this one; 0 where any may.
    public let minimumPrevious: Int
    /// What the files come in.
    public let archive: Archive
    /// The files in the order of their paths.
    public let files: [SignedFile]

    /// A manifest from its parts. The files are put in order.
    ///
    /// - Throws: what ``init(json:)`` would find wrong with it.
    public init(
        number: Int, product: String = Manifest.agentProduct, channel: String, architecture: String,
        created: Int64, expires: Int64, minimumPrevious: Int, archive: Archive, files: [SignedFile]
    ) throws(StatementError) {
        self.number = number
        self.product = product
        self.channel = channel
        self.architecture = architecture
        self.created = created
        self.expires = expires
        self.minimumPrevious = minimumPrevious
        self.archive = archive
        self.files = files.sorted { $0.path < $1.path }
        guard try Manifest(json: json()) == self else { throw .notCanonical }
    }

    private static let known: Set<String> = [
        "format", "critical", "product", "channel", "architecture", "number", "minimum_previous",
        "created_at",
        "expires_at", "archive", "files",
    ]

    /// Reads the bytes of a manifest, whose signature is good.
    public init(json: [UInt8]) throws(StatementError) {
        let fields = try StatementFields(
            json: json, limit: Self.sizeLimit, format: Self.format, known: Self.known)
        product = try fields.string("product")
        channel = try fields.string("channel")
        architecture = try fields.string("architecture")
        number = try fields.integer("number", in: 1...Self.numberLimit)
        minimumPrevious = try fields.integer("minimum_previous", in: 0...Self.numberLimit)
        created = try fields.time("created_at")
        expires = try fields.time("expires_at")
        guard created < expires else { throw .badField("expires_at", reason: "is not after created_at") }
        guard minimumPrevious < number else {
            throw .badField("minimum_previous", reason: "is not below the release's own number")
        }
        let archive = try fields.fields("archive")
        try archive.refuseUnknown(["size", "sha256"])
        self.archive = Archive(
            size: try archive.integer("size", in: 1...Self.archiveSizeLimit),
            digest: try archive.digest("sha256"))
        files = try fields.files("files", count: 1...Self.fileLimit)
    }

    /// The bytes to sign and to send.
    public func json() -> [UInt8] {
        let document: Document = [
            "format": .string(Self.format),
            "product": .string(product),
            "channel": .string(channel),
            "architecture": .string(architecture),
            "number": .int(number),
            "minimum_previous": .int(minimumPrevious),
            "created_at": StatementFields.time(created),
            "expires_at": StatementFields.time(expires),
            "archive": [
                "size": .int(archive.size), "sha256": .string(StatementFields.hexadecimal(archive.digest)),
            ],
            "files": .array(files.map(\.value)),
        ]
        return Array(document.json().utf8)
    }

    /// The file at a path.
    public func file(_ path: RelativePath) -> SignedFile? {
        var (low, high) = (0, files.count)
        while low < high {
            let middle = (low + high) / 2
            if files[middle].path < path { low = middle + 1 } else { high = middle }
        }
        return low < files.count && files[low].path == path ? files[low] : nil
    }
}
