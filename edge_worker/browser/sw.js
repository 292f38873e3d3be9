self.addEventListener("install", () => self.skipWaiting(), VERSION, ASSETS);
