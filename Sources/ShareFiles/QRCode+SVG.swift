extension QRCode {
    /// Modules on a side, with the quiet zone.
    var sizeWithQuietZone: Int { size + 8 }

    /// A drawing in which a module has the side 1.
    var svgShapes: String {
        var path = ""
        for y in 0..<size {
            for x in 0..<size where isDark(x, y) { path += "M\(x + 4) \(y + 4)h1v1h-1z" }
        }
        let size = sizeWithQuietZone
        return "<rect width=\"\(size)\" height=\"\(size)\" fill=\"#fff\"/><path d=\"\(path)\" fill=\"#000\"/>"
    }

    /// The same as a document of its own, or an element of HTML.
    var svg: String {
        let size = sizeWithQuietZone
        return
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(size) \(size)\" shape-rendering=\"crispEdges\">"
            + "\(svgShapes)</svg>"
    }
}
