import PDShamir

/// The secret of a native set, in the shares or in a sealed file.
package struct NativeSecret {
    private let set: NativeSet
    /// The set's sealed file, where it has one.
    package let sealed: InputFile?
    private let cryptography: CoreCryptography

    /// - Parameter sealed: all sealed files that were given, perhaps of other sets.
    package init(_ set: NativeSet, sealed: [InputFile], cryptography: CoreCryptography) throws {
        self.set = set
        self.cryptography = cryptography
        let wanted = set.combination.set
        guard case .sealed(let bytes) = wanted.content else {
            self.sealed = nil
            return
        }
        var own: [InputFile] = []
        for file in sealed {
            try file.rewind()
            if try SealedFiles.header(file) == wanted.identifier { own.append(file) }
        }
        guard !own.isEmpty else {
            throw ToolError(
                sealed.isEmpty
                    ? "the shares fit, but the secret of \(bytes) bytes is in a sealed file: give that file "
                        + "(\(ShareInput.sealedSuffix), set \(wanted.identifierText)) too"
                    : "\(Self.names(sealed)) \(sealed.count == 1 ? "belongs" : "belong") to another set than the shares, which is "
                        + "\(wanted.identifierText): bring the sealed file of that set")
        }
        self.sealed = try Self.best(own, set, cryptography)
    }

    /// Of several copies of the sealed file one that opens; identical ones are one.
    private static func best(
        _ files: [InputFile], _ set: NativeSet, _ cryptography: CoreCryptography
    ) throws -> InputFile? {
        guard files.count > 1 else { return files.first }
        for file in files {
            do {
                try SealedFiles.open(file, with: set.combination, cryptography: cryptography) { _ in }
                return file
            } catch let error as ToolError where error.exitCode == 1 {
                // Another copy may be whole.
                continue
            }
        }
        throw SealedFiles.damaged(files[0])
    }

    private static func names(_ files: [InputFile]) -> String {
        files.map { Printable.path($0.name) }.joined(separator: ", ")
    }

    /// Hands out the secret piece by piece; each piece is proved.
    ///
    /// - Parameter verifyFirst: read everything once before handing out anything, so that the end is proved too.
    package func write(verifyFirst: Bool, to take: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let sealed else {
            return try set.combination.secret.withUnsafeBytes { try take($0) }
        }
        if verifyFirst {
            try SealedFiles.open(sealed, with: set.combination, cryptography: cryptography) { _ in }
        }
        try SealedFiles.open(sealed, with: set.combination, cryptography: cryptography, take: take)
    }
}
