// The default theme without its fonts, in the project's colours.
import Theme from 'vitepress/theme-without-fonts';
import './colours.css';

export default Theme;
