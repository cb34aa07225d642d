/** The version of the bundled SDK; the bundler puts it in. */
declare const LIVE_SDK_VERSION: string;
